"""How a run is carried out: its directory, who is told, and what an end before its end leaves."""

import contextlib
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from keras_prune.errors import KerasPruneError
from keras_prune.training.config import TrainRecipe
from keras_prune.utils.config import to_dict
from keras_prune.utils.own_modules import names_function

from . import options as shared
from . import tracking
from .output import LOG, RunLog
from .progress import display
from .settings import loaded, read_file
from .starting import quietly
from .tables import show_run

if TYPE_CHECKING:
    from keras_prune.methods.config import RunConfig
    from keras_prune.reporting import PruningReport, RunDirectory, TrainingReport
    from keras_prune.tracking import Observers


Stage = Literal["train", "prune", "test"]


@dataclass(frozen=True)
class Execution:
    """How a run is carried out, whatever it does.

    Args:
        data_dir: where the data sets lie.
        workers: processes that measure candidates.
        mlflow: the store it is recorded in, if any.
        tensorboard: the folder of TensorBoard's logs, if any.
        stage: the only stage that is carried out; default: all.
        allow_code: whether functions that a file names may be called.
    """

    data_dir: Path | None = None
    workers: int = 1
    mlflow: str | None = None
    tensorboard: Path | None = None
    stage: Stage | None = None
    allow_code: bool = False


def executed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of an `Execution` to a command, which is called with `execution`."""

    @shared.data_dir
    @shared.workers
    @tracking.mlflow
    @tracking.tensorboard
    @shared.allow_code
    @wraps(command)
    def run(
        *args: Any,
        data_dir: Path | None,
        workers: int,
        mlflow: str | None,
        tensorboard: Path | None,
        allow_code: bool,
        **kwargs: Any,
    ) -> Any:
        execution = Execution(data_dir, workers, mlflow, tensorboard, allow_code=allow_code)
        return command(*args, execution=execution, **kwargs)

    return run


class Interrupted(click.Abort):
    """Ctrl-C during a run; the message says where the partial run lies."""


def default_path(config: "RunConfig | TrainRecipe", name: str) -> Path:
    """Where a run is written if no option says so.

    Args:
        config: the whole configuration, which may say.
        name: of the command.
    """
    return Path(config.common.directory or _directories().default_path(name))


def carry_out(
    config: "RunConfig | TrainRecipe", path: Path, execution: Execution, *, goes_on: bool = False
) -> None:
    """Carries out a configuration in a run directory, and shows what came of it.

    A server of `--mlflow` that does not answer is an error before anything is written.

    Args:
        config: the whole configuration.
        path: the directory.
        execution: how.
        goes_on: take the directory of a run that was killed, instead of making one.
    """
    told = tracking.observers_of(execution.mlflow, execution.tensorboard)
    with (
        _run_directory(path, goes_on, config) as run,
        display() as watcher,
        told.watched_by(watcher).run(run.path, to_dict(config)) as observers,
    ):
        report = _report(config, run, execution, observers)
    show_run(report, run.path)


def go_on(path: Path, execution: Execution) -> None:
    """Goes on with the run in a directory, as its configuration says.

    Args:
        path: the directory.
        execution: how.
    """
    _directories().existing(path)
    config = loaded(read_file(path / "config.toml"), code=execution.allow_code)
    carry_out(config, path, execution, goes_on=True)


def _report(
    config: "RunConfig | TrainRecipe",
    run: "RunDirectory",
    execution: Execution,
    observers: "Observers",
) -> "PruningReport | TrainingReport | None":
    if config.common.deterministic:
        with quietly(start=False):  # it is too late once TensorFlow runs
            from keras_prune.training.determinism import fix_order
        fix_order()
    if isinstance(config, TrainRecipe):
        with quietly():
            from keras_prune.training.run import train
        return train(config, run, data_dir=execution.data_dir, observers=observers)
    with quietly():
        from keras_prune.methods.experiment import run_from_config
    return run_from_config(
        config,
        run,
        data_dir=execution.data_dir,
        observers=observers,
        workers=execution.workers,
        stage=execution.stage,
    )


@contextlib.contextmanager
def _run_directory(
    path: Path, goes_on: bool, config: "RunConfig | TrainRecipe"
) -> Iterator["RunDirectory"]:
    """The directory of one run and its log; it is removed again if the run leaves nothing in it."""
    run = _directories().existing(path) if goes_on else _directories().create(path)
    with RunLog(run.path) as log:
        try:
            yield run
        except KeyboardInterrupt:
            if not goes_on and _removed(run, LOG):
                raise Interrupted("Interrupted. Nothing was written.") from None
            stop = Interrupted(
                f"Interrupted. The partial run is in {path}. To go on: {_to_go_on(path, config)}"
            )
            log.failed(stop)
            raise stop from None
        except (KerasPruneError, OSError, MemoryError) as error:
            # A configuration alone is no result: the same command may be given again.
            if goes_on or not _removed(run, LOG, "config.toml"):
                log.failed(error)
            raise
        except Exception as error:
            log.failed(error, traceback=True)
            raise


def _directories() -> type["RunDirectory"]:
    with quietly(start=False):
        from keras_prune.reporting import RunDirectory
    return RunDirectory


def _to_go_on(path: Path, config: "RunConfig | TrainRecipe") -> str:
    """The command that goes on with a run."""
    trusting = " --allow-code" if names_function(config.common.dataset) else ""
    return f"keras-prune run {shlex.quote(str(path))}{trusting}"


def _removed(run: "RunDirectory", *worthless: str) -> bool:
    """Removes the directory if it holds nothing else; says whether it did."""
    if {each.name for each in run.path.iterdir()} <= set(worthless):
        for name in worthless:
            (run / name).unlink(missing_ok=True)
    return run.remove_if_empty()
