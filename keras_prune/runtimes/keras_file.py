"""A `.keras` file, run by Keras."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_prune.errors import KerasPruneError
from keras_prune.loading import load_model
from keras_prune.profiling import profile
from keras_prune.runtimes.base import Arrays, Port, Runtime
from keras_prune.runtimes.tensorflow_threads import limit_tensorflow


class KerasRuntime(Runtime):
    """Runs the model as one compiled function, without XLA.

    Args:
        path: a `.keras` file.
        threads: of TensorFlow; default as many as there are cores.
    """

    kind = "keras"

    def __init__(self, path: Path, threads: int | None) -> None:
        limit_tensorflow(threads)
        self.model = self._load(path)
        self.inputs = _ports(self.model.inputs)
        self.outputs = _ports(self.model.outputs)
        macs = counted_macs(self.model)  # which files of the other kinds keep
        self.metadata = {} if macs is None else {"macs": str(macs)}
        self._function = tf.function(self._outputs, reduce_retracing=True)

    def _load(self, path: Path) -> keras.Model:
        return load_model(path)

    def __call__(self, arrays: Arrays) -> Arrays:
        tensors = [tf.convert_to_tensor(array) for array in arrays]
        return [keras.ops.convert_to_numpy(tensor) for tensor in self._function(*tensors)]

    def _outputs(self, *inputs: Any) -> list[Any]:
        result = self.model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return list(keras.tree.flatten(result))


def _ports(tensors: list[keras.KerasTensor]) -> tuple[Port, ...]:
    return tuple(Port(tensor.name, tuple(tensor.shape), tensor.dtype) for tensor in tensors)


def counted_macs(model: keras.Model) -> int | None:
    """Multiply-accumulates of one example; None where those of a layer cannot be counted."""
    try:
        counted = profile(model)
    except KerasPruneError:  # a tensor of unknown length, for example
        return None
    return None if counted.uncounted else counted.total.macs
