"""What a network is for, and how it is trained and measured."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.training.baselines import baseline
    from keras_prune.training.config import (
        CommonConfig,
        DistillationConfig,
        SparseTrainingConfig,
        TrainingConfig,
        TrainRecipe,
    )
    from keras_prune.training.determinism import fix_order
    from keras_prune.training.evaluation import Evaluation, evaluate, evaluate_predictor
    from keras_prune.training.objective import Objective
    from keras_prune.training.precision import computing_in
    from keras_prune.training.recalibration import Recalibrated, recalibrate
    from keras_prune.training.run import train
    from keras_prune.training.task import Task
    from keras_prune.training.trainer import History, fit

__all__ = [
    "CommonConfig",
    "DistillationConfig",
    "Evaluation",
    "History",
    "Objective",
    "Recalibrated",
    "SparseTrainingConfig",
    "Task",
    "TrainRecipe",
    "TrainingConfig",
    "baseline",
    "computing_in",
    "evaluate",
    "evaluate_predictor",
    "fit",
    "fix_order",
    "recalibrate",
    "train",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "CommonConfig": ".config",
        "DistillationConfig": ".config",
        "Evaluation": ".evaluation",
        "History": ".trainer",
        "Objective": ".objective",
        "Recalibrated": ".recalibration",
        "SparseTrainingConfig": ".config",
        "Task": ".task",
        "TrainRecipe": ".config",
        "TrainingConfig": ".config",
        "baseline": ".baselines",
        "computing_in": ".precision",
        "evaluate": ".evaluation",
        "evaluate_predictor": ".evaluation",
        "fit": ".trainer",
        "fix_order": ".determinism",
        "recalibrate": ".recalibration",
        "train": ".run",
    },
)
