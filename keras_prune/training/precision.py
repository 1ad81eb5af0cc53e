"""Training in bfloat16 with float32 variables, on a model that was built in float32."""

import contextlib
from collections.abc import Iterator

import keras

from keras_prune.training.classifier import leaves, output_layers


@contextlib.contextmanager
def computing_in(precision: str, *models: keras.Model) -> Iterator[None]:
    """Let the models' layers compute in `precision` inside the `with` block.

    Only float32 layers change; variables, and the layers that compute the outputs, stay float32.
    What is compiled inside the block keeps its precision, so compile there what shall have it.

    Args:
        precision: `"float32"` or `"mixed_bfloat16"`.
        models: their layers are changed, and changed back at the end.
    """
    kept = {id(layer) for model in models for layer in output_layers(model)}
    each = {id(layer): layer for model in models for layer in leaves(model)}  # each once
    layers = [layer for key, layer in each.items() if key not in kept]
    switched = [layer for layer in layers if layer.dtype_policy.name == "float32"]
    policies = [layer.dtype_policy for layer in switched]
    try:
        for layer in switched:
            layer.dtype_policy = keras.DTypePolicy(precision)
        yield
    finally:
        for layer, policy in zip(switched, policies, strict=True):
            layer.dtype_policy = policy
