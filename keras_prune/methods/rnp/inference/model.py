"""A network and the decision network that says how much of it each image needs, as one model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.agents.q_learning import greedy
from keras_prune.benchmarking.interleaving import interleaved
from keras_prune.errors import ConfigError, ExportError, ModelError, unknown
from keras_prune.exporting.deploying import Deployed
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.decisions import Decisions, check_images, find_decisions
from keras_prune.methods.rnp.execution import Execution, Masked
from keras_prune.methods.rnp.inference.branched import Branched
from keras_prune.methods.rnp.inference.bucketed import Bucketed
from keras_prune.methods.rnp.inference.forms import RuntimeForm
from keras_prune.methods.rnp.inference.sliced import Sliced
from keras_prune.methods.rnp.network import DecisionNetwork

Decided = tuple[tf.Tensor, tf.Tensor]
"""Outputs `(batch, classes)` and actions `(batch, decisions)`, int32 from 0."""

BATCHINGS = ("buckets", "map")
"""How many images are computed: together where they take the same action, or one by one."""


@keras.saving.register_keras_serializable("keras_prune")
class RuntimePrunedModel(keras.Model):
    """A classifier that computes for every image only the channels decided on for that image.

    One image runs on slices of the weights; several run in buckets of the same action or one by
    one. All forms compute the same as `masked`, which saves nothing.

    Args:
        backbone: a classifier of images of a fixed size, its channels ordered by importance.
        network: what decides.
        sets: sets that the channels of each layer are split into.
        batching: `"buckets"` or `"map"`, how several images are computed; default `"map"`.

    Raises:
        ConfigError: a layer has fewer channels than sets, or the batching is unknown.
        ModelError: no convolution of the backbone can be decided about, its images have no fixed
            size, or the decision network was made for another one.

    Example:

    >>> conv = [keras.layers.Conv2D(8, 3, activation="relu") for _ in range(2)]
    >>> head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    >>> backbone = keras.Sequential([keras.Input((8, 8, 1)), *conv, *head])
    >>> model = RuntimePrunedModel(backbone, DecisionNetwork([8], actions=4), sets=4)
    >>> outputs, actions = model.decide(np.zeros((3, 8, 8, 1)))
    >>> outputs.shape, actions.shape
    (TensorShape([3, 2]), TensorShape([3, 1]))

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017.
    """

    def __init__(
        self,
        backbone: keras.Model,
        network: DecisionNetwork,
        sets: int,
        batching: str = "map",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.backbone, self.network, self.sets = backbone, network, sets
        self._balance = self.add_weight(
            shape=(), initializer="zeros", dtype="float32", trainable=False, name="balance"
        )
        self._decisions = find_decisions(ChannelGraph(backbone), sets)
        _check(backbone, network, self._decisions)
        self._masked = _compiled(partial(self._executed, Masked))
        self.batching = batching
        [image] = backbone.inputs
        self(keras.Input(batch_shape=image.shape, dtype=image.dtype, name=image.name))  # for Keras

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Nothing: both networks are built."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Outputs `(batch, classes)`."""
        return self.decide(inputs)[0]

    def decide(self, inputs: tf.Tensor | np.ndarray) -> Decided:
        """Outputs `(batch, classes)` and the actions taken, int32 `(batch, decisions)`."""
        return self._decided(self._images(inputs))

    def masked(self, inputs: tf.Tensor | np.ndarray) -> Decided:
        """The same from the whole network, its channels set to zero: what all forms must equal."""
        return self._masked(self._images(inputs))

    def branched(self, inputs: tf.Tensor) -> Decided:
        """The same of one image, for runtimes that cannot cut weights: a branch for each width."""
        return self._executed(Branched, inputs)

    def deployed(self, format: str) -> Deployed:
        """What a file of a format is made of; all but `.keras` files tell the actions, too.

        Raises:
            ExportError: ONNX has nothing that skips the work.
        """
        if format == "onnx":
            raise ExportError(
                "A network that decides at run time cannot be written as onnx. Export a "
                "saved_model or tflite."
            )
        if format not in ("tflite", "saved_model"):
            return Deployed(self, self)
        expected = RuntimeForm(self, "masked")
        if format == "tflite":
            return Deployed(RuntimeForm(self, "branched"), expected, batch_size=1)
        return Deployed(RuntimeForm(self, "decide"), expected, tried=(1, 32))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """`(batch, classes)`."""
        return input_shape[0], self.backbone.output_shape[-1]

    @property
    def whole(self) -> keras.Model:
        """What it computes if every image gets everything, as a model that can be traced."""
        return self.backbone

    @property
    def inputs(self) -> list[keras.KerasTensor]:
        """Its symbolic input, as a functional model has it."""
        return [self.input]

    @property
    def outputs(self) -> list[keras.KerasTensor]:
        """Its symbolic output."""
        return [self.output]

    @property
    def balance(self) -> float:
        """What is added to the Q-value for every further set: below 0 for less work, above for
        more. It is saved with the weights and may be set at any time."""
        return float(self._balance.numpy())

    @balance.setter
    def balance(self, value: float) -> None:
        self._balance.assign(value)

    @property
    def batching(self) -> str:
        """How several images are computed, one of `BATCHINGS`."""
        return self._batching

    @batching.setter
    def batching(self, name: str) -> None:
        if name not in BATCHINGS:
            raise ConfigError(unknown("batching", name, BATCHINGS))
        self._batching = name
        self._decided = _compiled(partial(self._narrow, batching=name))
        self.predict_function = self.test_function = None  # Keras' own hold the former one

    def choose_batching(self, images: np.ndarray, turns: int = 2) -> str:
        """Times both ways of computing several images in turns, and keeps the faster.

        Args:
            images: a batch as it will come, `(batch, height, width, channels)`.
            turns: of 5 timed calls each.

        Returns:
            The name of the faster one.
        """
        calls = [self._timed(name, self._images(images)) for name in BATCHINGS]
        medians = [np.median(seconds) for seconds in interleaved(calls, turns)]
        self.batching = BATCHINGS[int(np.argmin(medians))]
        return self.batching

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        parts = {"backbone": self.backbone, "network": self.network}
        own = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **own, "sets": self.sets, "batching": self.batching}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RuntimePrunedModel:
        """Makes both networks from their own configs first."""
        own = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("backbone", "network")
        }
        return cls(**config | own)

    def _images(self, inputs: tf.Tensor | np.ndarray) -> tf.Tensor:
        if isinstance(inputs, keras.KerasTensor):
            raise ModelError(
                "What it computes depends on the image. Give its backbone, model.backbone."
            )
        return tf.cast(inputs, self.inputs[0].dtype)

    def _timed(self, name: str, images: tf.Tensor) -> Callable[[], object]:
        decided = _compiled(partial(self._many, name))
        return lambda: decided(images)[0].numpy()

    def _narrow(self, images: tf.Tensor, batching: str) -> Decided:
        """The form for the number of images, chosen on tracing where that is known."""
        alone, together = partial(self._executed, Sliced), partial(self._many, batching)
        if images.shape[0] is not None:
            return alone(images) if images.shape[0] == 1 else together(images)
        one, several = _apart(alone), _apart(together)
        return tf.cond(tf.shape(images)[0] == 1, lambda: one(images), lambda: several(images))

    def _many(self, batching: str, images: tf.Tensor) -> Decided:
        if batching == "buckets":
            return self._executed(Bucketed, images)
        return tf.map_fn(self._one, images, fn_output_signature=(tf.float32, tf.int32))

    def _one(self, image: tf.Tensor) -> Decided:
        outputs, actions = self._executed(Sliced, image[None])
        return outputs[0], actions[0]

    def _executed(self, form: Callable[[Decisions], Execution], images: tf.Tensor) -> Decided:
        batch = images.shape[0] or tf.shape(images)[0]
        choose = greedy(self.network, batch, self._balance.value)
        trajectory = form(self._decisions)(images, choose)
        return trajectory.outputs, tf.stack(trajectory.actions, axis=1)


def _compiled(function: Callable[[tf.Tensor], Decided]) -> Callable[[tf.Tensor], Decided]:
    """Traced once for a batch size, then for any."""
    return tf.function(function, autograph=False, reduce_retracing=True)


def _apart(function: Callable[[tf.Tensor], Decided]) -> Callable[[tf.Tensor], Decided]:
    """A function that stays one operation, so that a branch not taken costs no time.

    TensorFlow takes the branches of a condition apart otherwise, and passes over every operation of
    the one not taken.
    """
    attributes = {"_noinline": True}
    return tf.function(function, autograph=False, experimental_attributes=attributes)


def _check(backbone: keras.Model, network: DecisionNetwork, decisions: Decisions) -> None:
    check_images(decisions.graph)
    wanted = [step.state for step in decisions.steps], decisions.sets
    if (network.channels, network.actions) != wanted:
        raise ModelError(
            f"The decision network does not fit {backbone.name!r}: expected "
            f"channels={wanted[0]}, actions={wanted[1]}. Received: channels={network.channels}, "
            f"actions={network.actions}."
        )
