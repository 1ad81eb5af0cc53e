"""What is written of a model that has another form as a file."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ExportError
from keras_prune.exporting import export
from keras_prune.exporting.deploying import Deployed, deployed
from keras_prune.runtimes import open_runtime

from .small import pixels, small


class Doubling(keras.Model):
    """Computes nothing as it is; files of it hold two layers."""

    def __init__(self, wrong=0.0, **fixed):
        super().__init__()
        self.wrong, self.fixed = wrong, fixed

    def form(self, factor):
        inputs = keras.Input((4,), name="x")
        return keras.Model(inputs, keras.layers.Rescaling(factor)(inputs))

    def deployed(self, format):
        return Deployed(self.form(2.0 + self.wrong), self.form(2.0), **self.fixed)


def test_an_ordinary_model_is_written_as_it_is():
    model = small()
    forms = deployed(model, "tflite")
    assert forms.written is forms.expected is model


@pytest.mark.parametrize("name", ["m.tflite", "m"])
def test_a_model_says_what_is_written(tmp_path, name):
    assert export(Doubling(), tmp_path / name).max_abs_error == 0
    [doubled] = open_runtime(tmp_path / name)([np.ones((1, 4), "float32")])
    np.testing.assert_array_equal(doubled, [[2.0] * 4])


def test_the_file_is_compared_with_what_is_expected(tmp_path):
    with pytest.raises(ExportError, match="differs from the model"):
        export(Doubling(wrong=1.0), tmp_path / "m.tflite")
    assert not [*tmp_path.iterdir()]


def test_a_batch_size_that_the_model_fixes(tmp_path):
    export(Doubling(batch_size=1), tmp_path / "m.tflite")
    assert open_runtime(tmp_path / "m.tflite").inputs[0].shape == (1, 4)
    with pytest.raises(ExportError, match="batches of 1 only. Received: batch_size=2"):
        export(Doubling(batch_size=1), tmp_path / "n.tflite", batch_size=2)


def test_a_file_is_tried_with_every_batch_size(tmp_path, monkeypatch):
    chunks = []
    home = "keras_prune.exporting.model_export.agreement"

    def watched(runtime, model, batch, labels, chunk):
        from keras_prune.exporting.checking import agreement

        chunks.append(chunk)
        return agreement(runtime, model, batch, labels, chunk)

    monkeypatch.setattr(home, watched)
    export(Doubling(tried=(1, 32)), tmp_path / "m")
    export(small(), tmp_path / "n", batch=pixels(2))
    assert chunks == [1, 32, 32]
