"""Judging classifications: accuracy with intervals, per group, and confusions."""

from racnet_tools.evaluate.accuracy import Proportion, accuracy, accuracy_by, confusion_table, wilson_interval

__all__ = ["Proportion", "accuracy", "accuracy_by", "confusion_table", "wilson_interval"]
