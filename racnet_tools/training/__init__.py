"""Training: `fit` into a run folder that survives interruptions, then `save_preset` for those who classify.

Importing this package does not import Keras: that happens when a network is built.
"""

from racnet_tools.training.augmentation import Augmentation
from racnet_tools.training.fit import TrainingConfig, fit
from racnet_tools.training.onnx_export import export_onnx
from racnet_tools.training.preset import save_preset
from racnet_tools.training.run_folder import Run
from racnet_tools.training.weights import load_onnx_weights, load_weights, save_weights

__all__ = [
    "Augmentation",
    "Run",
    "TrainingConfig",
    "export_onnx",
    "fit",
    "load_onnx_weights",
    "load_weights",
    "save_preset",
    "save_weights",
]
