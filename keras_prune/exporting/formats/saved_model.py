"""Writing SavedModel directories."""

from pathlib import Path

import keras
import tensorflow as tf

from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.settings import Settings
from keras_prune.graph.calls import sublayers
from keras_prune.runtimes.saved_model import METADATA


class SavedModel(Format):
    """A TensorFlow SavedModel directory with the endpoint `serve`, also its only signature.

    Written by hand because `keras.Model.export` stores every weight twice on the TensorFlow backend
    (keras-team/keras#23553), which would undo a pruning by half.
    """

    name = "saved_model"
    suffix = ""
    signs = True

    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        module = tf.Module()
        kept = [variable.value for variable in model.variables]
        module.kept = [*kept, *_tables(model)]  # what is found is saved
        module.serve = endpoint(model)
        tf.saved_model.save(module, str(path), signatures={settings.signature: module.serve})
        extra = path / METADATA
        if settings.metadata:
            extra.mkdir()
        for name, text in settings.metadata.items():
            (extra / f"{name}.txt").write_text(text, encoding="utf-8")


def _tables(model: keras.Model) -> list[tf.saved_model.experimental.TrackableResource]:
    """The tables of the lookups in a model."""
    owned = (value for layer in sublayers(model) for value in vars(layer).values())
    return [x for x in owned if isinstance(x, tf.saved_model.experimental.TrackableResource)]


def endpoint(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The model in inference mode as one function of its inputs, by their names.

    Its outputs are a flat list, which a signature calls `output_0`, `output_1`, ...
    """
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name) for tensor in model.inputs]

    def serve(*inputs: tf.Tensor) -> list[tf.Tensor]:
        result = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        return list(keras.tree.flatten(result))

    return tf.function(serve, input_signature=specs)
