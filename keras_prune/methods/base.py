"""What every pruning method is: a configuration, and a step from state to state."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import keras
import pandas as pd

from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.context import Context
from keras_prune.methods.state import Pruned, RunState
from keras_prune.plan import PruningPlan
from keras_prune.reporting import PruningReport
from keras_prune.training import DistillationConfig, SparseTrainingConfig, Task, TrainingConfig
from keras_prune.utils.config import load, to_dict
from keras_prune.utils.progress import Watcher, silent

if TYPE_CHECKING:
    from keras_prune.methods.run import Result


_PARTS: dict[str, type] = {
    "recovery": TrainingConfig,
    "finetune": TrainingConfig,
    "distillation": DistillationConfig,
    "sparse_training": SparseTrainingConfig,
}


@dataclass(frozen=True)
class Outcome:
    """What a method hands over.

    Args:
        pruned: the network, its plan and its objective on the validation data.
        notes: what the reader of a report should know, in sentences.
        untouched: group -> why nothing was pruned there.
        result: what else the method's own files are made of.
    """

    pruned: Pruned
    notes: tuple[str, ...] = ()
    untouched: Mapping[str, str] = field(default_factory=dict)
    result: Any = None


class Method(ABC):
    """A way to choose what stays of a network.

    Everything around it (data, baseline, trainings, files, resuming, the report) is the driver's.
    A method says how one state leads to the next; the state given is never changed.

    Args:
        config: the method's own configuration; default: made of `options`.
        recovery: the training after each step; default: the method's.
        finetune: the training at the end; default: the method's.
        distillation: all trainings learn from the unpruned network, too; default: they do not.
        sparse_training: a training before the first cut that presses channels to zero; default:
            none.
        options: the fields of the configuration, for example `macs=0.5`.

    Raises:
        ConfigError: an option is unknown or out of its range.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    recovery: TrainingConfig = TrainingConfig(epochs=1, learning_rate=0.01, schedule="cosine")
    finetune: TrainingConfig = TrainingConfig(epochs=10, learning_rate=0.02)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "Config" in vars(cls):
            cls.__signature__ = _signature(cls.Config)  # type: ignore[attr-defined]

    def __init__(
        self,
        config: Any = None,
        *,
        recovery: TrainingConfig | None = None,
        finetune: TrainingConfig | None = None,
        distillation: DistillationConfig | None = None,
        sparse_training: SparseTrainingConfig | None = None,
        **options: Any,
    ) -> None:
        if config is not None and (options or not isinstance(config, self.Config)):
            raise ConfigError(
                f"Expected a {self.Config.__name__}, or its fields as arguments. Received: "
                f"{config!r}{' and ' + ', '.join(options) if options else ''}."
            )
        self.config = load(self.Config, options, self.name) if config is None else config
        self.recovery = recovery or self.recovery
        self.finetune = finetune or self.finetune
        self.distillation, self.sparse_training = distillation, sparse_training
        self._check_config()

    def _check_config(self) -> None:  # noqa: B027  # most methods have nothing to add
        """Refuses what the light configuration cannot tell, such as an unknown criterion."""

    def run(
        self,
        model: keras.Model,
        task: Task,
        *,
        seed: int = 0,
        directory: str | Path | None = None,
        precision: str = "float32",
        deterministic: bool = False,
        workers: int = 1,
        watcher: Watcher = silent,
    ) -> Result:
        """Prunes a model. Without a directory nothing is written.

        Args:
            model: any built Keras model; it is not changed.
            task: data, loss, metrics and objective.
            seed: of trainings, agents and the order of the data.
            directory: where state, files and report are written; a run that was killed there goes
                on where it stopped.
            precision: `"float32"` or `"mixed_bfloat16"`, for trainings and rollouts.
            deterministic: whether threads compute in a fixed order, so that the same seed gives the
                same result to the bit; the process keeps to it from then on.
            workers: processes that measure candidates; the result does not depend on it. With more
                than one a script needs `if __name__ == "__main__":` around what it does, for each
                of them imports it.
            watcher: told of every step.

        Returns:
            A `Result` with `.model`, `.plan` and `.report`.

        Raises:
            KerasPruneError: model, task and configuration do not go together.
        """
        from keras_prune.methods.run import run_method
        from keras_prune.tracking import Observers

        result = run_method(
            self, model, task, seed=seed, directory=directory, precision=precision,
            deterministic=deterministic, workers=workers, observers=Observers(watcher=watcher),
        )  # fmt: skip
        assert result is not None  # it is only where a run is to end early
        return result

    @abstractmethod
    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a model that cannot be pruned as asked, before anything is trained or written.

        Args:
            model: the network, with any weights.
            task: bound to it; None where the data are not there yet.
        """

    def start(self, context: Context) -> RunState:
        """The state before the first step."""
        nothing = PruningPlan.for_graph(ChannelGraph(context.model), {})
        return RunState(Pruned(context.model, nothing, context.initial))

    @abstractmethod
    def step(self, context: Context, state: RunState) -> RunState:
        """The state after one more step; the given one is not changed."""

    @abstractmethod
    def finish(self, context: Context, state: RunState) -> Outcome:
        """What the run hands over, after the last training."""

    def tables(self, state: RunState) -> Mapping[str, pd.DataFrame]:
        """What is written as CSV after every step, by the file's name without suffix."""
        return {"history": pd.DataFrame(state.history)} if state.history else {}

    def report(self, context: Context, outcome: Outcome, report: PruningReport) -> PruningReport:
        """The report, with what only the method can say; it may write files of its own.

        Args:
            context: the run; its directory is None where nothing is to be written.
            outcome: what `finish` returned.
            report: as it is for every method.
        """
        return report

    def get_config(self) -> dict[str, Any]:
        """What `methods.get` makes the same method of."""
        parts = {
            "recovery": self.recovery,
            "finetune": self.finetune,
            "distillation": self.distillation,
            "sparse_training": self.sparse_training,
        }
        return to_dict(self.config) | {
            name: to_dict(part) for name, part in parts.items() if part is not None
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The method that `get_config` described."""
        made = dict(config)
        for name, kind in _PARTS.items():
            if isinstance(made.get(name), Mapping):
                made[name] = load(kind, made[name], name)
        return cls(**made)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config!r})"


def _signature(config: type) -> inspect.Signature:
    """The configuration's fields, and what all methods take, for `help` and editors."""
    own = list(inspect.signature(config).parameters.values())
    others = [
        parameter
        for name, parameter in inspect.signature(Method.__init__).parameters.items()
        if name in _PARTS
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature([parameter.replace(kind=keyword) for parameter in (*own, *others)])
