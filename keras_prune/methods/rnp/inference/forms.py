"""A runtime-pruned model in the form that a file is written in."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_prune")
class RuntimeForm(keras.Model):
    """Outputs and actions of a runtime-pruned model, computed by one of its methods.

    Args:
        model: a `RuntimePrunedModel`.
        form: `"decide"`, `"branched"` or `"masked"`.
    """

    def __init__(self, model: Any, form: str, **options: Any) -> None:
        super().__init__(**{"name": model.name, **options})
        self.model, self.form, self.inputs = model, form, model.inputs
        self.build(model.inputs[0].shape)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Nothing: the model is built."""

    def call(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        """Outputs `(batch, classes)` and actions, int32 `(batch, decisions)`."""
        return list(getattr(self.model, self.form)(inputs))

    def compute_output_spec(self, inputs: keras.KerasTensor) -> list[keras.KerasTensor]:
        """Shapes and dtypes of both."""
        batch, decisions = inputs.shape[0], len(self.model.network.channels)
        outputs = self.model.compute_output_shape(inputs.shape)
        return [
            keras.KerasTensor(outputs, "float32"),
            keras.KerasTensor((batch, decisions), "int32"),
        ]

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        model = keras.saving.serialize_keras_object(self.model)
        return {**super().get_config(), "model": model, "form": self.form}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RuntimeForm:
        """Makes the model from its own config first."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**config | {"model": model})
