"""How much of a network may stay, and where it may be taken from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from keras_prune.budgets import allocation
from keras_prune.budgets.depth import Value
from keras_prune.budgets.latency import Measure
from keras_prune.budgets.limits import Limits, is_number
from keras_prune.budgets.scores import Scores, check_normalize
from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.utils.arguments import expect_kind

KINDS = ("ratio", "macs", "params", "latency")
SCOPES = ("global", "local", "isomorphic")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much of a network may stay. One of the first four is given, or `ratios` alone.

    The plan keeps the channels with the highest scores that the budget admits, counted exactly on
    what would be left. It is never exceeded where that can be helped, and used up to 2 % where
    whole channels admit it; a `UserWarning` says where not.

    Args:
        ratio: the pruning ratio, the fraction of channels to *remove*, in [0, 1); rounded up to
            whole channels. Channels of excluded groups do not count.
        macs: the fraction of multiply-accumulates to *keep*, in (0, 1]. What no rule can count is
            left out, with a warning; a model with most of its parameters there is refused.
        params: the fraction of parameters to *keep*, in (0, 1].
        latency: the fraction of latency to *keep*, in (0, 1], as `measure` measures it on up to 8
            pruned models.
        measure: for `latency`: a model's latency in seconds, such as
            `keras_prune.benchmarking.latency.tflite_latency`.
        ratios: the fraction of channels that single groups lose, no more and no less (but for
            `round_to`), rounded up to whole channels: group, layer or pattern -> fraction, for
            example `{"block1_*": 0.25}`. With another budget, that is met by the other groups;
            alone, those stay whole.
        scope: `"global"` (default) ranks the channels of all groups together; `"local"` takes the
            same fraction from each group, as nearly as whole channels admit; `"isomorphic"` takes
            the same fraction from each kind of group (the same layers in the same roles), and ranks
            the channels of one kind together.
        normalize: what a group's scores are divided by before channels of several groups are
            ranked: `"mean"` (default) or `"max"` of their absolute values; `"l2"`, the square root
            of the sum of their squares, by which a channel of a wide group counts less; `"none"`.
        flops_weight: lambda in `score - lambda · share`, the share that of a channel's MACs to
            those of the network's dearest channel; default 0. The paper subtracts FLOPs per layer
            in units of its own.
        min_channels: each group keeps at least so many, or all it has; default 1.
        max_ratio: at most this fraction of a group's channels is removed, in (0, 1]; default 0.9,
            so that no group becomes the neck of the network.
        exclude: groups that stay whole: their names, or names of layers whose own channels shall
            stay, or patterns such as `"block5_*"`.
        round_to: each group keeps a multiple of it, or stays whole; default 1.
        depth: whether whole residual blocks may leave, too: as many as `allocate` measures to cost
            the least value; of `macs` or `params`; default: not. A block stays that holds a layer
            which `exclude` or `ratios` name.
        origin: the graph of the unpruned model, if the graph to prune is that of a model which was
            pruned before: the fractions are then of the original; default: they are of the model.

    Raises:
        ConfigError: none or several budgets, or a value out of range.

    Example:

    >>> inputs = keras.Input((10,))
    >>> hidden = keras.layers.Dense(8, name="hidden")(inputs)
    >>> graph = ChannelGraph(keras.Model(inputs, keras.layers.Dense(2)(hidden)))
    >>> scores = {"hidden": np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6])}
    >>> Budget(macs=0.5).allocate(graph, scores).kept
    {'hidden': (1, 3, 5, 7)}

    Reference: Molchanov et al., Pruning Convolutional Neural Networks for Resource Efficient
    Inference, ICLR 2017, sections 2.2 (normalisation) and 2.3 (FLOPs regularisation).
    """

    ratio: float | None = None
    macs: float | None = None
    params: float | None = None
    latency: float | None = None
    measure: Measure | None = None
    ratios: Mapping[str, float] = field(default_factory=dict, hash=False)
    scope: str = "global"
    normalize: str = "mean"
    flops_weight: float = 0.0
    min_channels: int = 1
    max_ratio: float = 0.9
    exclude: Sequence[str] = ()
    round_to: int = 1
    depth: bool = False
    origin: ChannelGraph | None = None

    def __post_init__(self) -> None:
        given = {kind: getattr(self, kind) for kind in KINDS if getattr(self, kind) is not None}
        if len(given) > 1 or not (given or self.ratios):
            received = ", ".join(f"{kind}={value!r}" for kind, value in given.items()) or "none"
            raise ConfigError(f"Expected one budget of {', '.join(KINDS)}. Received: {received}.")
        for kind, amount in given.items():
            _check_amount(kind, amount)
        if (self.latency is None) != (self.measure is None):
            raise ConfigError(
                "latency and measure go together: measure is a function model -> seconds, such as "
                "keras_prune.benchmarking.latency.tflite_latency."
            )
        if self.scope not in SCOPES:
            raise ConfigError(unknown("scope", str(self.scope), SCOPES))
        check_normalize(self.normalize)
        if not is_number(self.flops_weight) or not 0 <= self.flops_weight < math.inf:
            raise ConfigError(
                f"flops_weight: expected a number from 0. Received: {self.flops_weight!r}."
            )
        if self.depth and self.kind not in ("macs", "params"):
            raise ConfigError(f"depth: expected a budget of macs or params. Received: {self}.")
        Limits.of(self)  # checks what limits a group

    @property
    def kind(self) -> str:
        """What is budgeted: `"ratio"`, `"macs"`, `"params"` or `"latency"`, or `"ratios"` alone."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), "ratios")

    @property
    def kept(self) -> float:
        """The fraction that may stay, also for a ratio; not of `ratios` alone."""
        return 1 - self.ratio if self.ratio is not None else getattr(self, self.kind)

    def allocate(
        self, graph: ChannelGraph, scores: Scores, value: Value | None = None
    ) -> PruningPlan:
        """The plan that keeps the best channels the budget admits.

        Args:
            graph: the graph of the model to prune; it is not changed.
            scores: group name -> one score per channel, shape `(channels,)`; higher = keep. Groups
                that are excluded need none.
            value: what a plan is worth, plan -> number, higher = better: needed for `depth` alone,
                where it is asked about twice as often as there are residual blocks.

        Returns:
            A plan that names every group. Of equal scores the lower index stays.

        Raises:
            ConfigError: the budget is met already, an exclusion matches nothing, the limits leave
                nothing to remove, `origin` is not the graph of the original, or MACs are to be
                counted of a model of which most cannot be.
            PlanError: scores are missing, of a wrong length or not finite.
            ModelError: nothing can be pruned, or MACs are to be counted of a model that holds a
                tensor of unknown length.

        Warns:
            UserWarning: the budget cannot be met, or not be used up to 2 %. The plan is the nearest
                one. Or the MACs of a layer cannot be counted.
        """
        expect_kind(graph, ChannelGraph, "graph", "a ChannelGraph: kp.ChannelGraph(model)")
        expect_kind(scores, Mapping, "scores", "scores by group, as a criterion gives them")
        if self.depth != (value is not None):
            raise ConfigError(
                "depth and value go together: value is a function plan -> number, higher = better, "
                f"by which blocks are chosen. Received: depth={self.depth}, value={value!r}."
            )
        return allocation.allocate(self, graph, scores, value)

    def check(self, graph: ChannelGraph) -> None:
        """Refuses what `allocate` would refuse whatever the scores are; latency is not measured.

        Args:
            graph: the graph of the model to prune; its weights do not matter.

        Raises:
            ConfigError: as in `allocate`.
            ModelError: as in `allocate`.
        """
        allocation.check(self, graph)

    def met_by(self, graph: ChannelGraph) -> bool:
        """Whether a model is within the budget as it is, so that `allocate` would refuse."""
        return allocation.is_met(self, graph)

    def furthest(self, graph: ChannelGraph) -> float:
        """The smallest fraction that limits and pinned channels let a plan keep.

        A budget that is counted and asks for less can never be met.

        Raises:
            ConfigError: latency is budgeted, which says nothing before it is measured, or there
                are `ratios` alone.

        Example:

        >>> import keras
        >>> inputs = keras.Input((10,))
        >>> hidden = keras.layers.Dense(8, name="hidden")(inputs)
        >>> graph = ChannelGraph(keras.Model(inputs, keras.layers.Dense(2)(hidden)))
        >>> Budget(macs=0.5, max_ratio=0.75).furthest(graph)
        0.25
        """
        return allocation.furthest(self, graph)

    def require_reachable(self, graph: ChannelGraph) -> None:
        """Refuses a budget that is counted and asks for less than `furthest`.

        Raises:
            ConfigError: limits and pinned channels let no plan keep so little; the least is named.
        """
        allocation.require_reachable(self, graph)

    def require_scored(self, graph: ChannelGraph, unscored: Mapping[str, str]) -> None:
        """Refuses ratios of groups that a criterion cannot score.

        Args:
            graph: the graph of the model to prune.
            unscored: group -> why it has no scores.

        Raises:
            ConfigError: such a group is to lose a fraction of its own.
        """
        allocation.require_scored(self, graph, unscored)

    def steps(self, count: int, graph: ChannelGraph) -> tuple[Budget, ...]:
        """Budgets on the way to this one, to score, prune and fine-tune in between.

        Step *i* of *n* keeps `kept ** (i / n)` of the original: each takes the same fraction of
        what the one before left. A step that the model meets already, since whole channels went
        further than the last step asked, can be skipped by `met_by`.

        Args:
            count: the number of steps, at least 1.
            graph: the graph of the model before the first step; all fractions stay relative to it.

        Returns:
            The budgets, the last one with this one's target.

        Raises:
            ConfigError: `count` is not a whole number from 1.

        Example:

        >>> inputs = keras.Input((10,))
        >>> hidden = keras.layers.Dense(8, name="hidden")(inputs)
        >>> graph = ChannelGraph(keras.Model(inputs, keras.layers.Dense(2)(hidden)))
        >>> [round(step.macs, 3) for step in Budget(macs=0.5).steps(3, graph)]
        [0.794, 0.63, 0.5]
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ConfigError(f"steps: expected a whole number from 1. Received: {count!r}.")
        last = replace(self, origin=self.origin or graph)
        return (*(last._part(i / count) for i in range(1, count)), last)

    def _part(self, way: float) -> Budget:
        """The budget after a part of the way, in (0, 1)."""
        if self.kind == "ratios":
            ratios = {name: 1 - (1 - ratio) ** way for name, ratio in self.ratios.items()}
            return replace(self, ratios=ratios)
        kept = self.kept**way
        amount: dict[str, Any] = {self.kind: 1 - kept if self.kind == "ratio" else kept}
        return replace(self, **amount)

    def __str__(self) -> str:
        """The budget as one writes it."""
        if self.kind == "ratios":
            return f"ratios={dict(self.ratios)}"
        return f"{self.kind}={getattr(self, self.kind):.4g}"


def _check_amount(kind: str, value: object) -> None:
    removed = kind == "ratio"
    fits = is_number(value) and (0 <= value < 1 if removed else 0 < value <= 1)
    if not fits:
        what = "channels to remove, in [0, 1)" if removed else f"{_NOUNS[kind]} to keep, in (0, 1]"
        raise ConfigError(f"{kind}: expected the fraction of {what}. Received: {value!r}.")


_NOUNS = {"macs": "MACs", "params": "parameters", "latency": "latency"}
