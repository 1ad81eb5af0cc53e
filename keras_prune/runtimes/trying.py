"""A file of somebody else's is run in a process of its own first: its interpreter may crash."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_prune.errors import ModelError
from keras_prune.runtimes.base import Runtime, made_up
from keras_prune.runtimes.onnx_file import OnnxRuntime
from keras_prune.runtimes.tflite import TFLiteRuntime

_INTERPRETERS: dict[str, Callable[[Path, None], Runtime]] = {
    ".onnx": OnnxRuntime,
    ".tflite": TFLiteRuntime,
}
"""Of the kinds of files that may end the process they are run in."""

_SECONDS = 300
_BATCHES = (1, 2)


def try_out(path: Path) -> None:
    """Opens a file and runs it on made-up inputs, in a process of its own.

    What is raised there is not told: it is raised here again, where the file is opened.

    Args:
        path: a `.tflite` or `.onnx` file; of other kinds nothing is tried.

    Raises:
        ModelError: that process crashed, or went on for five minutes.
    """
    if path.suffix not in _INTERPRETERS:
        return
    # -P: no module of the current directory is taken for one of ours.
    command = [sys.executable, "-P", "-m", __name__, str(path)]
    try:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{path} did not end its first run within {_SECONDS} seconds. If you trust it, let it "
            "run all the same (--allow-code, trusted=True)."
        ) from error
    if code:
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        raise ModelError(
            f"{path} crashes what runs it ({how}). It is damaged, or made to do so: get it anew."
        )


def _run(path: Path) -> None:
    """What that process does."""
    runtime = _INTERPRETERS[path.suffix](path, None)
    chance = np.random.default_rng(0)
    for count in _BATCHES:
        runtime([made_up(port, count, chance) for port in runtime.inputs])


if __name__ == "__main__":
    with contextlib.suppress(Exception):
        _run(Path(sys.argv[1]))
