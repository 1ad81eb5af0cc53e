"""What a path is, told by every command before anything heavy is done."""

import json
import subprocess
import sys
import time

import keras
import pytest

from keras_prune.cli.paths import model_path
from keras_prune.errors import ModelError
from keras_prune.runtimes.loading import load_model
from keras_prune.training.config import CommonConfig
from keras_prune.training.source import is_file
from keras_prune.utils.model_files import check_layers

OWN = """
import keras

@keras.saving.register_keras_serializable()
class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""


def small():
    layers = [keras.layers.Dense(5, name="hidden"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((4,)), *layers])


@pytest.fixture
def folder(tmp_path):
    small().save(tmp_path / "model.keras")
    small().save_weights(tmp_path / "model.weights.h5")
    small().export(tmp_path / "saved", verbose=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text("{}")
    small().save(tmp_path / "run" / "pruned.keras")
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.tflite").write_bytes(b"TFL3")
    (tmp_path / "broken.keras").write_bytes(b"PK")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.weights.h5", "holds weights alone. Build the network they are of"),
        ("saved", "is a SavedModel, which runs but has no layers"),
        ("run", r"is a run directory. Give one of its models: .*run/pruned.keras"),
        ("empty", "is a folder without a .keras file"),
        ("model.tflite", "is a TFLite file: its layers are gone"),
        ("broken.keras", "is not a Keras file, or is damaged"),
        ("modle.keras", r"does not exist. Did you mean .*/model.keras\?"),
    ],
)
def test_what_is_no_model_with_layers_says_what_it_is(folder, name, message, call):
    with pytest.raises(ModelError, match=message):
        check_layers(folder / name)
    for command in (["inspect"], ["prune", "--dataset", "digits", "--macs", 0.5], ["profile"]):
        done = call(command[0], folder / name, *command[1:])
        assert done.code == 2 and done.err.count("\n") == 1, done.err
        assert done.err.startswith("Error: ")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_whole_model_of_before_is_read(tmp_path):
    made = small()
    made.save(tmp_path / "old.h5")
    assert load_model(tmp_path / "old.h5").count_params() == made.count_params()
    made.save_weights(tmp_path / "only.weights.h5")
    (tmp_path / "only.weights.h5").rename(tmp_path / "only.h5")
    with pytest.raises(ModelError, match="holds weights alone"):
        load_model(tmp_path / "only.h5")


def test_a_network_of_the_package_is_to_be_trained_first(call):
    done = call("prune", "lenet5", "--dataset", "digits", "--macs", 0.5)
    assert (done.code, done.out) == (2, "")
    assert "keras-prune train lenet5 --dataset ... --out run" in done.err


def test_a_folder_called_as_a_network_does_not_take_its_place(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet5").mkdir()
    assert not is_file(CommonConfig(model="lenet5"))
    assert model_path("lenet5", tmp_path) == "lenet5"
    done = call("prune", "lenet5", "--dataset", "digits", "--macs", 0.5)  # which takes files alone
    assert done.code == 2 and "lenet5 is a folder without a .keras file" in done.err


def test_a_missing_file_is_refused_before_anything_is_imported(tmp_path):
    command = "from keras_prune.cli import main; main()"
    arguments = ["prune", "nothere.keras", "--dataset", "digits", "--macs", "0.5"]
    started = time.process_time()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", command, *arguments],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2 and "nothere.keras does not exist" in done.stderr
    assert "tensorflow" not in done.stderr and " keras\n" not in done.stderr
    assert not list(tmp_path.iterdir())
    assert time.process_time() - started < 1


@pytest.mark.slow
@pytest.mark.parametrize("module", ["own_layers", "own_layers.py"])
def test_layers_of_ones_own_are_imported(tmp_path, module):
    """In processes of their own, which know nothing of the layers."""
    (tmp_path / "own_layers.py").write_text(OWN)
    make = (
        "import keras, own_layers\n"
        "keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name='fc'),"
        " own_layers.Doubled(), keras.layers.Dense(2)]).save('own.keras')"
    )
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True, capture_output=True)
    command = "from keras_prune.cli import main; main()"

    def inspect(*more):
        return subprocess.run(
            [sys.executable, "-c", command, "inspect", "own.keras", "--json", *more],
            capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip

    if module.endswith(".py"):
        without = inspect()
        assert without.returncode == 2 and "--import MODULE" in without.stderr
    done = inspect("--import", module)
    assert done.returncode == 0, done.stderr
    assert [group["name"] for group in json.loads(done.stdout)["groups"]] == ["fc"]


def test_a_module_that_cannot_be_imported_is_one_line(folder, call):
    done = call("inspect", folder / "model.keras", "--import", "no_such_module")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--import: no_such_module cannot be imported: ModuleNotFoundError" in done.err
