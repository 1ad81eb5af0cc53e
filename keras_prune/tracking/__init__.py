"""Runs recorded beside their own files: in MLflow and in TensorBoard."""

from keras_prune.tracking.mlflow_run import MlflowRun
from keras_prune.tracking.observer import Epoch, Observer
from keras_prune.tracking.observers import Observers, unobserved
from keras_prune.tracking.tensorboard import TensorBoardLogs

__all__ = ["Epoch", "MlflowRun", "Observer", "Observers", "TensorBoardLogs", "unobserved"]
