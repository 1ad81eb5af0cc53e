"""The configuration of one run from the data to the report; a TOML file mirrors it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from functools import cache
from typing import Any

from keras_prune.errors import ConfigError
from keras_prune.methods.former import translated
from keras_prune.methods.registry import entry
from keras_prune.training.config import (
    CommonConfig,
    DistillationConfig,
    SparseTrainingConfig,
    TrainingConfig,
)
from keras_prune.utils.config import load, to_dict

_TRAIN = TrainingConfig(epochs=1, learning_rate=0.02)
_RECOVERY = TrainingConfig(epochs=1, learning_rate=0.01, schedule="cosine")
_FINETUNE = TrainingConfig(epochs=10, learning_rate=0.02)


@dataclass(frozen=True)
class RunConfig:
    """One run of a method.

    Args:
        method: a name of `keras_prune.methods.available()`.
        prune: the method's own configuration, for example a `RankingConfig`.
        common: model, data and what all trainings share.
        train: the baseline's training, where no weights are given.
        recovery: the training after each step of the method.
        finetune: the training at the end.
        distillation: both learn from the unpruned network, too; default: from the labels alone.
        sparse_training: a training before the first cut that presses channels to zero; default:
            none.
    """

    method: str
    prune: Any
    common: CommonConfig = field(default_factory=CommonConfig)
    train: TrainingConfig = _TRAIN
    recovery: TrainingConfig = _RECOVERY
    finetune: TrainingConfig = _FINETUNE
    distillation: DistillationConfig | None = None
    sparse_training: SparseTrainingConfig | None = None


def load_run(data: Mapping[str, Any]) -> RunConfig:
    """A configuration from plain data, for example a TOML file's.

    Keys of former versions are taken with a `FutureWarning` that names today's.

    Args:
        data: the sections; `method` says which class the section `prune` is.

    Raises:
        ConfigError: there is no method, or a key is unknown, missing or of the wrong type.
    """
    data, told = translated(data)
    for sentence in told:
        warnings.warn(sentence, FutureWarning, stacklevel=2)
    if "method" not in data:
        raise ConfigError("Missing key 'method'. Add for example method = \"ranking\" on top.")
    if not isinstance(data["method"], str):
        raise ConfigError(f"method expects a string. Received: {data['method']!r}.")
    return load(typed(data["method"]), data)


@cache
def typed(method: str) -> type[RunConfig]:
    """`RunConfig` whose field `prune` is of the method's own class, so that its keys are checked.

    Raises:
        ConfigError: no method has that name.
    """
    own = entry(method).load_config()
    required = (
        [("prune", own)] if _needs_values(own) else [("prune", own, field(default_factory=own))]
    )
    return make_dataclass("RunConfig", required, bases=(RunConfig,), frozen=True)


def plain(config: RunConfig) -> dict[str, Any]:
    """The configuration as nested plain dictionaries: what `load_run` reads."""
    return to_dict(config)


def _needs_values(config: type) -> bool:
    """Whether defaults alone make no configuration, for example for want of a budget."""
    try:
        config()
    except (ConfigError, TypeError):
        return True
    return False


def sections() -> tuple[str, ...]:
    """The names of a configuration's sections."""
    return tuple(each.name for each in fields(RunConfig) if each.name != "method")
