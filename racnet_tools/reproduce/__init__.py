"""The paper's experiments on data of one's choice: `reproduce` prepares, trains, judges and writes the report."""

from racnet_tools.reproduce.beyond import strangers
from racnet_tools.reproduce.paper import SLIPS, published
from racnet_tools.reproduce.plan import TARGETS, Experiment, experiments
from racnet_tools.reproduce.reproduction import Reproduction, reproduce

__all__ = ["SLIPS", "TARGETS", "Experiment", "Reproduction", "experiments", "published", "reproduce", "strangers"]
