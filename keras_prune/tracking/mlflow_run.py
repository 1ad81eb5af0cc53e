"""A run in MLflow."""

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_prune.errors import ConfigError
from keras_prune.tracking.observer import Epoch, Observer, reason
from keras_prune.utils.config import dotted
from keras_prune.utils.redaction import redacted

EXPERIMENT = "keras-prune"
"""The experiment all runs belong to."""

PRUNED = "-pruned_model"
"""What a name ends with where the network has been pruned."""

_SETTINGS = {
    "MLFLOW_ALLOW_FILE_STORE": "true",  # else it refuses `file:`
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


class MlflowRun(Observer):
    """Records a run through MLflow's client, whose server is looked for at once.

    Args:
        uri: `http://host:port`, `sqlite:///file.db` or `file:folder`.

    Raises:
        ConfigError: MLflow is not installed, or nothing can be recorded at the URI.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(f"MLflow at {redacted(uri)}")
        if not re.match(r"[A-Za-z][\w.+-]*:", uri):
            raise ConfigError(
                f"Expected the URI of an MLflow store, such as http://localhost:5000 or "
                f"sqlite:///runs.db. Received: {redacted(uri)!r}."
            )
        client = _client_class()
        self._run, self._has_secrets = "", redacted(uri) != uri
        with self._explained(), _bounded(seconds=5, retries=0):
            self._client = client(uri)
            self._experiment = self._find_or_create_experiment()

    def start(self, name: str, config: Mapping[str, Any]) -> None:
        """Makes the run and records the configuration under dotted keys.

        Raises:
            ConfigError: the store takes nothing any more.
        """
        from mlflow.entities import Param

        values = {key: value for key, value in dotted(config).items() if value is not None}
        with self._explained(), _bounded():
            self._run = self._client.create_run(self._experiment, run_name=name).info.run_id
            params = [Param(key, redacted(str(value))) for key, value in values.items()]
            self._client.log_batch(self._run, params=params)

    def epoch(self, epoch: Epoch) -> None:
        """Records `train_loss`, `val_loss`, ..., with a suffix after pruning."""
        suffix = PRUNED if epoch.pruned else ""
        figures = {
            (name if name.startswith("val_") else f"train_{name}") + suffix: value
            for name, value in epoch.row.items()
        }
        self._log(figures, epoch.step)

    def step(self, series: str, step: int, figures: Mapping[str, float]) -> None:
        """Records every figure as `figure/series`."""
        self._log({f"{name}/{series}": value for name, value in figures.items()}, step)

    def final(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """Records the figures of both networks, those of the pruned one with the suffix."""
        self._log({**before, **{name + PRUNED: value for name, value in after.items()}}, 0)

    def end(self, status: str, folder: Path) -> None:
        """Uploads the run's own files and ends the run."""
        with _bounded(seconds=120):  # a server may pass large files on before it answers
            self._client.log_artifacts(self._run, str(folder))
        with _bounded():
            self._client.set_terminated(self._run, status)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the block, in one line that names no password."""
        try:
            yield
        except Exception as error:  # of the client, of HTTP, or of a data base
            told = ConfigError(
                f"Cannot record in {self.place}: {reason(error)}. "
                "Start a server (mlflow server) or leave out --mlflow."
            )
            # Python shows what an error came from, and that names the address, or pieces of it.
            raise told from (None if self._has_secrets else error)

    def _find_or_create_experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        return found.experiment_id if found else self._client.create_experiment(EXPERIMENT)

    def _log(self, figures: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(_name(name), value, now, step) for name, value in figures.items()]
        with _bounded():
            self._client.log_batch(self._run, metrics=metrics)


def _name(name: str) -> str:
    """A layer's name may hold what MLflow takes in no name."""
    return re.sub(r"[^\w\-. /]", "_", name)


def _client_class() -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise ConfigError(
            "Recording in MLflow needs the package mlflow, which is not installed. "
            "Install it: pip install 'keras-prune[mlflow]'."
        ) from error
    for name in ("mlflow", "alembic", "urllib3"):  # of new tables, of every retry
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient


@contextlib.contextmanager
def _bounded(seconds: int = 10, retries: int = 1) -> Iterator[None]:
    """MLflow's settings inside the block, as far as the user has not made them.

    Its own, 7 retries of 120 seconds, would hold a run for a quarter of an hour.

    Args:
        seconds: a request waits for its answer.
        retries: of a request that failed.
    """
    settings = _SETTINGS | {
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(retries),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds),
    }
    ours = settings.keys() - os.environ.keys()
    os.environ.update({name: settings[name] for name in ours})
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
