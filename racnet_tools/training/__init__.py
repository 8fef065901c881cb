"""Training: `fit` into a run folder that survives interruptions, then `save_preset` for those who classify.

With a data set of `racnet_tools.datasets`: `train_on_dataset`, `predict_part`, `save_dataset_preset`.

Importing this package does not import Keras: that happens when a network is built.
"""

from racnet_tools.training.augmentation import Augmentation
from racnet_tools.training.fit import TrainingConfig, fit
from racnet_tools.training.judging import predict_part
from racnet_tools.training.onnx_export import export_onnx
from racnet_tools.training.prepared import save_dataset_preset, train_on_dataset
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
    "predict_part",
    "save_dataset_preset",
    "save_preset",
    "save_weights",
    "train_on_dataset",
]
