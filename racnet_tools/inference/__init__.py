"""Classification with trained networks on ONNX Runtime: presets, engine, hierarchical classifier, batch driver."""

from racnet_tools.inference.api import classify
from racnet_tools.inference.classifier import Classifier, ood_score
from racnet_tools.inference.engine import Engine
from racnet_tools.inference.graph import with_forced_attention, with_outputs
from racnet_tools.inference.job import classify_to_file
from racnet_tools.inference.presets import Preset, available_presets, load_preset
from racnet_tools.inference.words import measured_words, quality_words

__all__ = [
    "Classifier",
    "Engine",
    "Preset",
    "available_presets",
    "classify",
    "classify_to_file",
    "load_preset",
    "measured_words",
    "ood_score",
    "quality_words",
    "with_forced_attention",
    "with_outputs",
]
