"""Observers that need nothing, and a real MLflow server on this machine alone."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from keras_prune.tracking import Observer


class Told(Observer):
    """Remembers what it is told, and fails from the `failing`-th time on."""

    def __init__(self, place="here", failing=None):
        super().__init__(place)
        self.told = []
        self._failing = failing

    def start(self, name, config):
        self.told.append(("start", name, config))

    def epoch(self, epoch):
        self._hear(epoch)

    def step(self, series, step, figures):
        self._hear((series, step, figures))

    def final(self, before, after):
        self._hear(("final", before, after))

    def end(self, status, folder):
        self._hear(("end", status, folder))

    def _hear(self, what):
        self.told.append(what)
        if self._failing and len(self.told) >= self._failing:
            raise ConnectionRefusedError(111, "Connection refused")


class Server:
    """`mlflow server` with a SQLite store; started on demand, killed with all its children."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = None

    def start(self) -> str:
        """The URI of a server that answers."""
        if self._process is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._port = free.getsockname()[1]
            self._process = self._launch()
            self._wait()
        return f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _launch(self) -> subprocess.Popen:
        store = [
            f"--backend-store-uri=sqlite:///{self._folder / 'store.db'}",
            f"--artifacts-destination={self._folder / 'artifacts'}",
        ]
        where = ["--host=127.0.0.1", f"--port={self._port}", "--workers=1"]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        return subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *where, *store],
            env=os.environ | quiet,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait(self) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                direct.open(f"http://127.0.0.1:{self._port}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        self.kill()
        raise TimeoutError("mlflow server did not start")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("mlflow")
    server = Server(tmp_path_factory.mktemp("mlflow"))
    yield server
    server.kill()
