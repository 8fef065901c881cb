"""Judging classifications: accuracy with intervals, per group, and confusions."""

from racnet_tools.evaluate.accuracy import Proportion, accuracy, accuracy_by, confusion_table, wilson_interval
from racnet_tools.evaluate.baselines import BASELINES, Baseline, PrincipalComponents, make_baseline
from racnet_tools.evaluate.baselines_template import TemplateMatcher

__all__ = [
    "BASELINES",
    "Baseline",
    "PrincipalComponents",
    "Proportion",
    "TemplateMatcher",
    "accuracy",
    "accuracy_by",
    "confusion_table",
    "make_baseline",
    "wilson_interval",
]
