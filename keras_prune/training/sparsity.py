"""Training for sparsity: channels are pressed towards zero, group by group, before a cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph, ChannelGroup, Member
from keras_prune.graph.slices import at_positions, slice_sums
from keras_prune.plan import PruningPlan
from keras_prune.training.config import SparseTrainingConfig
from keras_prune.utils.arguments import expect_single_steps
from keras_prune.utils.backends import require_tensorflow


class _Pressed(NamedTuple):
    """Weights of a group that one penalty presses."""

    group: str
    channels: int
    members: list[Member]


class ChannelRegularizer(keras.callbacks.Callback):
    """Shrinks whole channels after each batch; a subclass says by how much.

    All weights of a channel shrink by one factor: the kernels that make it and those that read it,
    its biases, and the scales of its norms. The step is decoupled from the loss, like AdamW's
    weight decay: `w <- w · (1 - learning_rate · penalty)`, never beyond zero. Frozen layers stay as
    they are.

    Args:
        strength: of the penalty, above 0.

    Raises:
        ConfigError: `strength` is not above 0; or, when the training begins, the model is compiled
            with another `steps_per_execution` than 1.
        ModelError: when the training begins: no channel of the model can leave.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        if not strength > 0:
            raise ConfigError(f"Expected strength to be above 0. Received: {strength!r}.")
        self.strength = strength
        self._update: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Finds the groups of the model that is trained."""
        expect_single_steps(self.model, type(self).__name__)
        self._pressed = self.found(ChannelGraph(self.model))
        # `kp.callbacks` is imported without it on other backends, which `found` refuses.
        import tensorflow as tf

        self._update = tf.function(self._shrink, autograph=False)

    def found(self, graph: ChannelGraph) -> list[_Pressed]:
        """What of a model is pressed.

        Raises:
            ModelError: nothing is, or Keras does not run on TensorFlow.
        """
        require_tensorflow(type(self).__name__)
        graph.require_groups()
        found = [
            _Pressed(group.name, group.channels, members)
            for group in graph.groups.values()
            for members in self._together(
                [each for each in self._members(group) if each.binding.variable.trainable]
            )
        ]
        if not found:
            raise ModelError(
                f"{type(self).__name__} finds nothing to shrink in model {graph.model.name!r}: the "
                f"layers of its channels are frozen{self._wanted}."
            )
        return found

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Shrinks every channel once."""
        optimizer: Any = self.model.optimizer
        self._update(
            ops.cast(optimizer.learning_rate, "float32"), ops.cast(optimizer.iterations, "float32")
        )

    _wanted = ""
    """What else a model may lack, for the message."""

    def penalties(self, name: str, norms: Any, iteration: Any) -> Any:
        """What a channel's weights shrink by for each unit of the learning rate.

        Args:
            name: the group.
            norms: the Euclidean norm of each channel's weights, `(channels,)`.
            iteration: the optimizer's step, a scalar.

        Returns:
            `(channels,)`, not negative.
        """
        raise NotImplementedError

    def _members(self, group: ChannelGroup) -> Sequence[Member]:
        return group.members

    def _together(self, members: list[Member]) -> list[list[Member]]:
        """Which weights of a group are pressed by one penalty."""
        return [members] if members else []

    def _shrink(self, learning_rate: Any, iteration: Any) -> None:
        weights: dict[int, keras.Variable] = {}
        factors: dict[int, Any] = {}  # of a weight that lies between two groups those of both
        for group, channels, members in self._pressed:
            squares = sum(_squares(member, channels) for member in members)
            penalties = self.penalties(group, ops.sqrt(squares), iteration)
            left = ops.maximum(1 - learning_rate * penalties, 0)
            for member in members:
                weight = member.binding.variable
                weights[id(weight)] = weight
                factors[id(weight)] = factors.get(id(weight), 1.0) * _along(member, left)
        for key, weight in weights.items():
            weight.assign(weight * ops.cast(factors[key], weight.dtype))


class GroupLasso(ChannelRegularizer):
    """Presses the small channels of each group towards zero harder than the large ones.

    A channel of norm `n` has the penalty `strength · 2^(alpha · (max - n) / (max - min))`, with the
    largest and the smallest norm of its group.

    Args:
        strength: the largest channel's penalty, above 0; default 1e-3.
        alpha: the smallest channel has `2^alpha` times as much; default 4.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([
    ...     keras.Input((4,)), keras.layers.Dense(8, name="hidden"), keras.layers.Dense(1),
    ... ])
    >>> model.compile("sgd", "mse")
    >>> x = np.ones((16, 4), "float32")
    >>> history = model.fit(x, x[:, :1], callbacks=[GroupLasso(0.01)], verbose=0)

    Reference: Fang et al., "DepGraph: Towards Any Structural Pruning", CVPR 2023, section 3.3.
    """

    def __init__(self, strength: float = 1e-3, alpha: float = 4.0) -> None:
        super().__init__(strength)
        self.alpha = alpha

    def penalties(self, name: str, norms: Any, iteration: Any) -> Any:
        """See `ChannelRegularizer.penalties`."""
        top, bottom = ops.max(norms), ops.min(norms)
        place = (top - norms) / ops.maximum(top - bottom, 1e-12)
        return self.strength * 2.0 ** (self.alpha * place)


class ScaleSparsity(ChannelRegularizer):
    """Presses the scales of BatchNormalization towards zero: an L1 penalty on each.

    Groups without such a scale are left alone. Rank by `bn_scale` afterwards.

    Args:
        strength: of the L1 penalty, above 0; default 1e-3.

    Reference: Liu et al., "Learning Efficient Convolutional Networks through Network Slimming",
    ICCV 2017, section 3.
    """

    _wanted = ", or go through no BatchNormalization with a scale"

    def __init__(self, strength: float = 1e-3) -> None:
        super().__init__(strength)

    def penalties(self, name: str, norms: Any, iteration: Any) -> Any:
        """See `ChannelRegularizer.penalties`."""
        return self.strength / ops.maximum(norms, 1e-12)

    def _members(self, group: ChannelGroup) -> list[Member]:
        return [member for member in group.members if member.is_scale]

    def _together(self, members: list[Member]) -> list[list[Member]]:
        return [[member] for member in members]


class GrowingRegularization(ChannelRegularizer):
    """A weight decay on all channels that grows as the training goes on.

    What the loss holds on to less gives way more, so that channels drift apart: a criterion of
    magnitude tells them better afterwards. With a plan it grows on the channels that the plan drops
    only, until they are close to zero.

    Args:
        strength: where it stops growing, above 0; default 1.
        growth: by how much it grows every `every` steps; default 1e-4.
        every: see there; default 10.
        start: the optimizer's step from which it grows; default: the one at which the training
            begins.
        plan: which channels stay; default: the penalty is for all.

    Reference: Wang et al., "Neural Pruning via Growing Regularization", ICLR 2021, sections 3.1
    (with a plan) and 3.2.
    """

    def __init__(
        self,
        strength: float = 1.0,
        growth: float = 1e-4,
        every: int = 10,
        plan: PruningPlan | None = None,
        start: int | None = None,
    ) -> None:
        super().__init__(strength)
        if not growth > 0 or every < 1:
            raise ConfigError(
                "Expected growth to be above 0 and every to be at least 1. Received: "
                f"growth={growth!r}, every={every!r}."
            )
        self.growth, self.every, self.plan = growth, every, plan
        self.start, self._first = start, 0

    def found(self, graph: ChannelGraph) -> list[_Pressed]:
        """See `ChannelRegularizer.found`; refuses the plan of another model."""
        if self.plan is not None:
            self.plan.check(graph)
        return super().found(graph)

    def on_train_begin(self, logs: Any = None) -> None:
        """Remembers where the training begins."""
        optimizer: Any = self.model.optimizer
        self._first = int(optimizer.iterations) if self.start is None else self.start
        super().on_train_begin(logs)

    def penalties(self, name: str, norms: Any, iteration: Any) -> Any:
        """See `ChannelRegularizer.penalties`."""
        grown = self.growth * ops.floor((iteration - self._first) / self.every)
        now = ops.minimum(grown, self.strength)
        concerned = np.ones(norms.shape, "float32")
        if self.plan is not None:
            concerned[list(self.plan.kept.get(name, range(len(concerned))))] = 0
        return now * concerned


def regularizer(config: SparseTrainingConfig, steps: int) -> ChannelRegularizer:
    """The callback of a configuration.

    Args:
        config: the configuration.
        steps: how many there will be.
    """
    mean = 1.0 if config.schedule == "constant" else 0.5  # of the rates, as parts of the highest
    strength = config.total / (mean * config.learning_rate * steps)
    if config.kind == "growing":
        every = max(steps // 100, 1)
        return GrowingRegularization(
            2 * strength, 2 * strength * every / steps, every, start=0
        )  # on its way it has half of that
    return {"group_lasso": GroupLasso, "bn_scale": ScaleSparsity}[config.kind](strength)


def _squares(member: Member, channels: int) -> Any:
    """The sum of squares that each channel has of a weight, `(channels,)`."""
    weight = ops.cast(member.binding.variable, "float32")
    return slice_sums(ops.square(weight), member, channels)


def _along(member: Member, factors: Any) -> Any:
    """The factor at each position of a weight's axis, in a shape that fits the weight."""
    shape = [1] * len(member.binding.variable.shape)
    shape[member.binding.axis] = len(member.owner)
    return ops.reshape(at_positions(factors, member.owner), shape)
