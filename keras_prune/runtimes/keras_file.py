"""A `.keras` or `.kpz` file, run by Keras."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_prune.errors import KerasPruneError
from keras_prune.profiling import profile
from keras_prune.runtimes.base import Arrays, Port, Runtime
from keras_prune.runtimes.loading import load_model
from keras_prune.runtimes.tensorflow_threads import limit_tensorflow


class KerasRuntime(Runtime):
    """Runs the model as one compiled function, without XLA.

    Args:
        path: a `.keras` or `.kpz` file.
        threads: of TensorFlow; default as many as there are cores.
    """

    kind = "keras"

    def __init__(self, path: Path, threads: int | None) -> None:
        limit_tensorflow(threads)
        self.model = load_model(path)
        self.inputs = _ports(self.model.inputs)
        self.outputs = _ports(self.model.outputs)
        macs = counted_macs(self.model)  # which files of the other kinds keep
        self.metadata = {} if macs is None else {"macs": str(macs)}
        self._outputs = compiled(self.model)

    def __call__(self, arrays: Arrays) -> Arrays:
        return self._outputs(arrays)


def compiled(model: keras.Model) -> Callable[[Arrays], Arrays]:
    """A model's outputs in inference mode: op by op, batches of one take ten times as long."""

    @tf.function(reduce_retracing=True)
    def outputs(*inputs: tf.Tensor) -> list[tf.Tensor]:
        result = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return list(keras.tree.flatten(result))

    return lambda arrays: [x.numpy() for x in outputs(*map(tf.convert_to_tensor, arrays))]


def _ports(tensors: list[keras.KerasTensor]) -> tuple[Port, ...]:
    return tuple(Port(tensor.name, tuple(tensor.shape), tensor.dtype) for tensor in tensors)


def counted_macs(model: keras.Model) -> int | None:
    """Multiply-accumulates of one example; None where those of a layer cannot be counted."""
    try:
        counted = profile(model)
    except KerasPruneError:  # a tensor of unknown length, for example
        return None
    return None if counted.uncounted else counted.total.macs
