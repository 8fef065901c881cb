"""The figures of `racnet_tools.plots` as plotly figures for reports and dashboards: same names, same arguments.

Plotly is imported here and nowhere else in the package; `Page.figure` takes these beside the printed form.
"""

from racnet_tools.plots.interactive_judging import binned_accuracy, redshift_sweep, reliability, risk_coverage
from racnet_tools.plots.interactive_layout import library, to_json
from racnet_tools.plots.interactive_networks import (
    accuracy_bars,
    confusion,
    confusions,
    cost_accuracy,
    learning_curves,
)

__all__ = [
    "accuracy_bars",
    "binned_accuracy",
    "confusion",
    "confusions",
    "cost_accuracy",
    "learning_curves",
    "library",
    "redshift_sweep",
    "reliability",
    "risk_coverage",
    "to_json",
]
