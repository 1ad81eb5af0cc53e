"""Train, fine-tune and evaluate Keras models; keep trained baselines."""

from keras_prune.training.baseline import baseline
from keras_prune.training.config import TrainingConfig
from keras_prune.training.evaluate import Evaluation, evaluate
from keras_prune.training.fit import History, fit
from keras_prune.training.precision import computing_in

__all__ = ["Evaluation", "History", "TrainingConfig", "baseline", "computing_in", "evaluate", "fit"]
