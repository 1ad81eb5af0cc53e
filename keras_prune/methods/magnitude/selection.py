"""Which weights of a model magnitude pruning looks at: kernels, never biases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import keras

from keras_prune.errors import ConfigError, ModelError, unknown
from keras_prune.training.classifier import leaves

_KERNELS = ("kernel", "embeddings")  # also `depthwise_kernel`, `recurrent_kernel`, ...


@dataclass(frozen=True, eq=False)
class Kernel:
    """A weight whose numbers may be pruned.

    Args:
        layer: the name of its layer.
        variable: the weight.
    """

    layer: str
    variable: keras.Variable

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(keras.ops.size(self.variable))

    def __str__(self) -> str:
        return f"{self.variable.path} of shape {tuple(self.variable.shape)}"


def kernels(model: keras.Model, layers: Iterable[str] | None = None) -> tuple[Kernel, ...]:
    """The weights to prune.

    Args:
        model: a built model; nested models are looked into.
        layers: names of the layers to prune; default: every layer that has a kernel, also a frozen
            one. A named layer without a kernel, for example of your own, gives its trainable
            weights of two axes and more.

    Raises:
        ConfigError: a name is unknown, or names a layer without such weights.
        ModelError: the model has no kernel.
    """
    found = [kernel for layer in leaves(model) for kernel in _kernels(layer, is_kernel)]
    if layers is not None:
        found = _named({layer.name: layer for layer in leaves(model)}, layers)
    if not found:
        raise ModelError(f"Model {model.name!r} has no kernel to prune. Build it first.")
    return tuple({id(kernel.variable): kernel for kernel in found}.values())


def _named(known: dict[str, keras.Layer], names: Iterable[str]) -> list[Kernel]:
    found = []
    for name in names:
        if name not in known:
            raise ConfigError(unknown("layer", name, known))
        of_layer = _kernels(known[name], is_kernel) or _kernels(known[name], _is_matrix)
        if not of_layer:
            raise ConfigError(f"Layer {name!r} has no weights to prune. Leave it out of layers.")
        found.extend(of_layer)
    return found


def _kernels(layer: keras.Layer, wanted: Callable[[keras.Variable], bool]) -> list[Kernel]:
    # A frozen layer has no trainable variables, but weights to prune like any other.
    weights = layer.weights if wanted is is_kernel else layer.trainable_variables or layer.weights
    return [Kernel(layer.name, w) for w in weights if wanted(w)]


def is_kernel(weight: keras.Variable) -> bool:
    """Whether a weight is one that is pruned by default."""
    return weight.name.endswith(_KERNELS)


def _is_matrix(weight: keras.Variable) -> bool:
    return len(weight.shape) > 1
