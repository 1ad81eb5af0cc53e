"""Files that crash what runs them do it in another process."""

import subprocess
import sys

import keras
import pytest

from keras_prune.errors import ModelError
from keras_prune.exporting import export
from keras_prune.runtimes import open_runtime, trying

CRASHING = {
    "SIGABRT": "os.abort()",
    "SIGSEGV": "import ctypes; ctypes.string_at(0)",
    "exit status 3": "os._exit(3)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tried")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    export(model, path / "m.tflite")
    export(model, path / "m.onnx")
    return path


@pytest.fixture
def interpreter(tmp_path, monkeypatch):
    """Replaces LiteRT in the processes that are started by one that does something else."""

    def replace(code):
        package = tmp_path / "ai_edge_litert"
        package.mkdir()
        (package / "__init__.py").touch()
        content = f"import os\nclass Interpreter:\n  def __init__(self, **_):\n    {code}\n"
        (package / "interpreter.py").write_text(content)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return replace


@pytest.mark.parametrize("how", CRASHING)
def test_a_crash_is_one_line(folder, interpreter, how):
    interpreter(CRASHING[how])
    with pytest.raises(ModelError, match=rf"m\.tflite crashes what runs it \({how}\)"):
        open_runtime(folder / "m.tflite")
    assert open_runtime(folder / "m.tflite", trusted=True).inputs  # which tries nothing


def test_what_does_not_end_is_one_line(folder, interpreter, monkeypatch):
    interpreter("import time; time.sleep(60)")
    monkeypatch.setattr(trying, "_SECONDS", 1)
    with pytest.raises(ModelError, match="did not end its first run within 1 seconds"):
        open_runtime(folder / "m.tflite")


def test_modules_of_the_current_directory_are_not_run(folder, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("open('written', 'w')")
    monkeypatch.chdir(tmp_path)
    for name in ("m.tflite", "m.onnx"):
        assert open_runtime(folder / name).inputs
    assert not (tmp_path / "written").exists()


def test_the_try_really_runs_the_file(folder, monkeypatch):
    calls = []
    runtime = trying._INTERPRETERS[".tflite"]

    class Counting(runtime):
        def __call__(self, arrays):
            calls.append([array.shape for array in arrays])
            return super().__call__(arrays)

    monkeypatch.setitem(trying._INTERPRETERS, ".tflite", Counting)
    trying._run(folder / "m.tflite")
    assert calls == [[(1, 4)], [(2, 4)]]


def test_the_process_is_quick_to_start():
    code = (
        "import sys, keras_prune.runtimes.trying\n"
        "print({'keras', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n"
