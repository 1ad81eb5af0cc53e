"""What a run leaves behind beside its report."""

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune.reporting import ModelFigures, PruningReport, RunDirectory
from keras_prune.training.calibration import in_order

from .small import context, magnitude, network, task
from .test_method import regression, steps_of, two_outputs

FILES = {
    "bytes.csv", "files", "flops.csv", "parameters.csv", "sizes.csv", "sparse.keras",
    "summary.csv", "tables.md",
}  # fmt: skip


def classifier():
    return network(), task()


def written(make, place, kill_first=False) -> RunDirectory:
    model, given = make()
    directory = RunDirectory.create(place)
    method = magnitude(threshold="global", sparsity=0.9, steps=1, turns=1)
    run = context(model, given, directory)
    *_, last = steps_of(method, run)
    outcome = method.finish(run, last)
    test = None if make is not classifier else 50.0
    figures = ModelFigures(test, None, 40.0, 1, 1, 1, 1)
    report = PruningReport("magnitude", "small", "data", 0, {}, figures, figures, groups=())
    if kill_first:
        (directory / ".files").mkdir()
        (directory / ".files" / "half.tflite").touch()
        method.report(run, outcome, report)
    assert method.report(run, outcome, report) == report
    return directory


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        classifier,
        pytest.param(regression, marks=pytest.mark.slow),
        pytest.param(two_outputs, marks=pytest.mark.slow),
    ],
)
def test_every_file_is_there(make, tmp_path):
    directory = written(make, tmp_path / "run")
    assert {path.name for path in directory.path.iterdir()} == FILES
    sizes = pd.read_csv(directory / "sizes.csv").set_index("file")
    assert set(sizes.index) == {path.name for path in (directory / "files").iterdir()}
    assert sizes.loc["dense.tflite", "latency_us"] > 0
    assert sizes["accuracy"].notna().all() == (make is classifier)
    keras.models.load_model(directory / "sparse.keras")


@pytest.mark.slow
def test_a_second_report_replaces_what_the_first_left(tmp_path):
    directory = written(classifier, tmp_path / "run", kill_first=True)
    assert {path.name for path in directory.path.iterdir()} == FILES
    assert "half.tflite" not in {path.name for path in (directory / "files").iterdir()}


def with_a_layer_of_its_own():
    class Scaled(keras.layers.Layer):  # in here, Keras saves it and cannot find it again
        def build(self, shape):
            self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

        def call(self, inputs):
            return self.gain * inputs

    model, given = regression()
    return keras.Sequential([*model.layers[:-1], Scaled(), model.layers[-1]]), given


@pytest.mark.slow
def test_a_form_that_cannot_be_checked_says_why(tmp_path):
    directory = written(with_a_layer_of_its_own, tmp_path / "run")
    sizes = pd.read_csv(directory / "sizes.csv").set_index("file")
    assert "Scaled" in sizes.loc["dense.keras", "note"]
    made = {path.name for path in (directory / "files").iterdir()}
    assert set(sizes.index[sizes["bytes"].notna()]) == made
    assert {"dense.tflite", "int8.tflite"} <= made


@pytest.mark.slow
def test_forms_that_cannot_be_written_do_not_cost_the_report(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("keras_prune.methods.magnitude.files.export_sparse", full)
    method = magnitude(threshold="global", sparsity=0.9, steps=1, turns=1)
    directory = RunDirectory.create(tmp_path / "run")
    run = context(*classifier(), directory)
    *_, last = steps_of(method, run)
    figures = ModelFigures(50.0, 0.1, 40.0, 1, 1, 1, 1)
    report = PruningReport("magnitude", "small", "data", 0, {}, figures, figures, groups=())
    (note,) = method.report(run, method.finish(run, last), report).notes
    assert "files: [Errno 28] No space left on device. To try again: keras-prune export" in note
    assert {path.name for path in directory.path.iterdir()} == FILES - {"files", "sizes.csv"}


def test_without_a_directory_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, given = classifier()
    run = context(model, given)
    method = magnitude(threshold="global", sparsity=0.9, steps=1)
    *_, last = steps_of(method, run)
    figures = ModelFigures(50.0, 0.1, 40.0, 1, 1, 1, 1)
    report = PruningReport("magnitude", "small", "data", 0, {}, figures, figures, groups=())
    assert method.report(run, method.finish(run, last), report) is report
    assert not list(tmp_path.iterdir())


def test_inputs_come_in_the_models_order():
    model, _ = two_outputs()
    left, right = np.zeros((2, 4)), np.zeros((2, 3))
    for given in ({"right": right, "left": left}, (left, right)):
        assert [array.shape for array in in_order(given, model.inputs)] == [(2, 4), (2, 3)]
    assert in_order(np.zeros((2, 8, 8)), network().inputs)[0].shape == (2, 8, 8, 1)
