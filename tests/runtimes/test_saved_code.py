"""SavedModels that do more than compute are refused before they are loaded or called."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import ModelError
from keras_prune.exporting import export
from keras_prune.runtimes import open_runtime

SPEC = tf.TensorSpec((None, 2), tf.float32)


def saved(tmp_path, act, *, on_loading=False):
    """A SavedModel that carries something out when it is called, or loaded."""
    module = tf.Module()
    if on_loading:
        module.table = Acting(act)

    @tf.function(input_signature=[SPEC])
    def serve(x):
        if not on_loading:
            act()
        return {"y": 2 * x}

    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=serve)
    return tmp_path / "saved"


class Acting(tf.saved_model.experimental.TrackableResource):
    """A resource that is made anew when a SavedModel is loaded."""

    def __init__(self, act):
        super().__init__()
        self._act = act
        _ = self.resource_handle

    def _create_resource(self):
        return tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)

    def _initialize(self):
        self._act()


def inside_a_branch(path):
    def act():
        tf.cond(tf.constant(1) > 0, lambda: tf.io.write_file(path, "x"), tf.no_op)

    return act


def outside(path):
    """What a SavedModel can do besides computing, with the operation that does it."""
    return {
        "WriteFile": lambda: tf.io.write_file(path, "x"),
        "ReadFile": lambda: tf.io.read_file("/etc/hostname"),
        "PyFunc": lambda: tf.py_function(lambda: None, [], []),
        "MatchingFiles": lambda: tf.io.matching_files("/*"),
        "PrintV2": lambda: tf.print("x", output_stream=f"file://{path}"),
        "SaveV2": lambda: tf.raw_ops.SaveV2(
            prefix=path, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1)]
        ),
    }


@pytest.mark.parametrize("name", outside(""))
def test_what_reaches_outside_is_named_and_not_run(tmp_path, name):
    written = tmp_path / "written"
    path = saved(tmp_path, outside(str(written))[name])
    with pytest.raises(ModelError, match=f"does more than compute.*{name}.*--allow-code"):
        open_runtime(path)
    assert not written.exists()


def test_a_file_is_not_written_on_loading_either(tmp_path):
    written = tmp_path / "written"
    path = saved(tmp_path, lambda: tf.io.write_file(str(written), "x"), on_loading=True)
    written.unlink(missing_ok=True)
    with pytest.raises(ModelError, match="WriteFile"):
        open_runtime(path)
    assert not written.exists()
    open_runtime(path, trusted=True)
    assert written.exists()  # so that the refusal above means something


def test_functions_within_functions_are_looked_through(tmp_path):
    path = saved(tmp_path, inside_a_branch(str(tmp_path / "written")))
    with pytest.raises(ModelError, match="WriteFile"):
        open_runtime(path)


def test_what_is_trusted_runs(tmp_path):
    written = tmp_path / "written"
    path = saved(tmp_path, outside(str(written))["WriteFile"])
    runtime = open_runtime(path, trusted=True)
    np.testing.assert_array_equal(runtime([np.ones((2, 2), "float32")])[0], 2 * np.ones((2, 2)))
    assert written.exists()


def test_what_the_package_exports_only_computes(tmp_path):
    words = keras.Sequential(
        [
            keras.Input((), dtype="string"),
            keras.layers.StringLookup(vocabulary=["a", "b"]),
            keras.layers.Embedding(4, 3),
        ]
    )
    images = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(2, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
        ]
    )
    sequences = keras.Sequential([keras.Input((5, 2)), keras.layers.LSTM(3)])
    for name, model in (("words", words), ("images", images), ("sequences", sequences)):
        export(model, tmp_path / name)
        open_runtime(tmp_path / name)
