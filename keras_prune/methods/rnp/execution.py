"""Running a network call by call, with decisions on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from keras_prune.agents.q_learning import Policy
from keras_prune.graph import Call
from keras_prune.methods.rnp.decisions import CHANNELWISE, Decisions


@dataclass(frozen=True)
class Trajectory:
    """What was decided about a batch of images, on what, and what came of it.

    Args:
        outputs: the network's, `(batch, classes)`.
        states: for each decision the pooled feature map it was made on, `(batch, channels)`.
        actions: for each decision the action taken, int32 `(batch,)`.
    """

    outputs: tf.Tensor
    states: list[tf.Tensor] = field(default_factory=list)
    actions: list[tf.Tensor] = field(default_factory=list)


class Execution(ABC):
    """Runs a network whose convolutions compute as many sets of channels as is decided.

    All that lies between a convolution and its readers sees the sets that were computed; a reader
    sees zeros in place of the others. What a subclass says is how that is computed.

    Args:
        decisions: what is decided.
    """

    def __init__(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self._number = {id(step.call): n for n, step in enumerate(decisions.steps)}

    def __call__(self, images: tf.Tensor, choose: Policy) -> Trajectory:
        """Runs the network.

        Args:
            images: `(batch, height, width, channels)`.
            choose: asked for every decision, bottom-up, by the pooled feature map it is made on,
                `(batch, channels)`.
        """
        traced = self.decisions.graph.trace
        values: dict[int, Any] = {id(traced.flat_inputs[0]): images}
        trajectory = Trajectory(images)
        for call in traced.calls:
            args, _ = call.arguments(values)
            if id(call) in self._number:
                self._decide(call, args[0], choose, trajectory)
            outputs = self._carry_out(call, values, trajectory.actions)
            values.update(zip(map(id, call.outputs), tf.nest.flatten(outputs), strict=True))
        outputs = tf.cast(values[id(traced.flat_outputs[0])], tf.float32)
        return Trajectory(outputs, trajectory.states, trajectory.actions)

    def _decide(
        self, call: Call, features: tf.Tensor, choose: Policy, trajectory: Trajectory
    ) -> None:
        step = self._number[id(call)]
        pooled = tf.cast(tf.reduce_mean(features, axis=(1, 2)), tf.float32)
        source = self.decisions.narrow.get(id(call.inputs[0]))
        if source is not None:
            pooled = self.widen(pooled, source, trajectory.actions[source])
        trajectory.states.append(pooled)
        trajectory.actions.append(choose(step, pooled))

    def _carry_out(self, call: Call, values: dict[int, Any], actions: list[tf.Tensor]) -> Any:
        narrow = self.decisions.narrow
        if self.decisions.around(call) != (None, None):
            return self.convolve(call, values[id(call.inputs[0])], actions)
        if isinstance(call.operation, CHANNELWISE) and id(call.inputs[0]) in narrow:
            return self.channelwise(call, values[id(call.inputs[0])], actions)
        wide = {
            id(x): self.widen(values[id(x)], narrow[id(x)], actions[narrow[id(x)]])
            for x in call.inputs
            if id(x) in narrow
        }
        args, kwargs = call.arguments(values | wide)
        return call.operation(*args, **kwargs)

    @abstractmethod
    def convolve(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """A convolution of the sets that were computed, to those that it is to compute."""

    @abstractmethod
    def channelwise(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """A layer that treats each channel by itself, on those that were computed."""

    @abstractmethod
    def widen(self, features: tf.Tensor, step: int, action: tf.Tensor) -> tf.Tensor:
        """All channels of a decision, those that were not computed zero."""


class Masked(Execution):
    """Computes all channels of all images and takes zeros for those not asked for.

    Nothing is saved: this is what is trained, and what the forms that save work are compared with.
    """

    def convolve(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The whole convolution; what was not asked for before it is zero."""
        reads, _ = self.decisions.around(call)
        if reads is not None:
            features = self.widen(features, reads, actions[reads])
        return call.operation(features)

    def channelwise(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The layer as it is."""
        return call.operation(features)

    def widen(self, features: tf.Tensor, step: int, action: tf.Tensor) -> tf.Tensor:
        """The features times the mask of each image."""
        bounds = self.decisions.steps[step].bounds
        masks = tf.sequence_mask(bounds, bounds[-1], features.dtype)  # (sets, channels)
        shape = (-1, *(1,) * (features.shape.rank - 2), bounds[-1])
        return features * tf.reshape(tf.gather(masks, action), shape)
