"""Train, fine-tune and evaluate Keras models; keep trained baselines."""

from keras_prune.training.baseline import baseline
from keras_prune.training.config import TrainingConfig
from keras_prune.training.distillation import DistillationConfig
from keras_prune.training.evaluate import Evaluation, evaluate, evaluate_predictor
from keras_prune.training.figures import figures
from keras_prune.training.fit import History, fit
from keras_prune.training.precision import computing_in
from keras_prune.training.recipe import CommonConfig, TrainRecipe
from keras_prune.training.run import train

__all__ = [
    "CommonConfig",
    "DistillationConfig",
    "Evaluation",
    "History",
    "TrainRecipe",
    "TrainingConfig",
    "baseline",
    "computing_in",
    "evaluate",
    "evaluate_predictor",
    "figures",
    "fit",
    "train",
]
