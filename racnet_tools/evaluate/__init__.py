"""Judging classifications: accuracy, calibration, rejection, comparison, and baselines to compare with."""

from racnet_tools.evaluate.accuracy import (
    Proportion,
    accuracy,
    accuracy_by,
    accuracy_markdown,
    confusion_table,
    wilson_interval,
)
from racnet_tools.evaluate.baselines import BASELINES, Baseline, PrincipalComponents, make_baseline
from racnet_tools.evaluate.baselines_template import TemplateMatcher
from racnet_tools.evaluate.calibration import (
    apply_temperature,
    brier_score,
    calibration_interval,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from racnet_tools.evaluate.comparison import McNemar, Spread, compare_all, mcnemar, spread
from racnet_tools.evaluate.kept_calibration import KeptCalibration, kept_calibration
from racnet_tools.evaluate.rejection import (
    Auroc,
    area_under_risk_coverage,
    auroc,
    risk_coverage,
    threshold_for_coverage,
)
from racnet_tools.evaluate.strata import accuracy_against, quantile_edges, subclass_errors

__all__ = [
    "BASELINES",
    "Auroc",
    "Baseline",
    "KeptCalibration",
    "McNemar",
    "PrincipalComponents",
    "Proportion",
    "Spread",
    "TemplateMatcher",
    "accuracy",
    "accuracy_against",
    "accuracy_by",
    "accuracy_markdown",
    "apply_temperature",
    "area_under_risk_coverage",
    "auroc",
    "brier_score",
    "calibration_interval",
    "compare_all",
    "confusion_table",
    "expected_calibration_error",
    "fit_temperature",
    "kept_calibration",
    "make_baseline",
    "mcnemar",
    "negative_log_likelihood",
    "quantile_edges",
    "reliability",
    "risk_coverage",
    "spread",
    "subclass_errors",
    "threshold_for_coverage",
    "wilson_interval",
]
