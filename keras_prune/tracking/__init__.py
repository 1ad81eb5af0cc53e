"""Runs recorded beside their own files: in MLflow and in TensorBoard."""

from keras_prune.tracking.mlflow_run import MlflowRun
from keras_prune.tracking.recorder import Epoch, Recorder
from keras_prune.tracking.tensorboard import TensorBoardLogs
from keras_prune.tracking.tracker import Tracker, untracked

__all__ = ["Epoch", "MlflowRun", "Recorder", "TensorBoardLogs", "Tracker", "untracked"]
