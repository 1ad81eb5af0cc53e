"""Residual blocks leave beside channels, as many as the measured value says."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.networks import conv, head, image

WIDTHS = (4, 6, 8)


@pytest.fixture(scope="module")
def graph():
    """Three blocks, the later the wider inside."""
    i = image()
    x = conv(8, "stem")(i)
    for number, width in enumerate(WIDTHS):
        branch = kl.ReLU()(conv(width, f"inside{number}")(x))
        x = kl.Add(name=f"sum{number}")([x, conv(8, f"last{number}")(branch)])
    return ChannelGraph(keras.Model(i, head(x)))


def scores(graph):
    return {name: np.arange(1.0, g.channels + 1) for name, g in graph.groups.items()}


def worth(**costs):
    """A value that blocks lower by what they are said to cost, and channels by a little."""

    def value(plan):
        gone = sum(plan.channels[name] - len(kept) for name, kept in plan.kept.items())
        return -sum(costs[name] for name in left(plan)) - 0.01 * gone

    return value


def left(plan):
    """The sums of the blocks that leave."""
    return tuple(name.replace("last", "sum").removesuffix(":branch") for name in plan.blocks)


def test_blocks_that_cost_nothing_leave_before_channels(graph):
    value = worth(sum0=5.0, sum1=0.0, sum2=5.0)
    plan = Budget(macs=0.7, depth=True).allocate(graph, scores(graph), value)
    assert left(plan) == ("sum1",)
    share = profile(prune(graph.model, plan)).total.macs / profile(graph.model).total.macs
    assert 0.68 <= share <= 0.7
    alone = Budget(macs=0.7).allocate(graph, scores(graph))
    kept = lambda p: sum(len(p.kept[name]) for name in ("stem", "inside0", "inside2"))  # noqa: E731
    assert kept(plan) > kept(alone)


def test_channels_leave_where_all_blocks_matter(graph):
    value = worth(sum0=5.0, sum1=5.0, sum2=5.0)
    with_depth = Budget(macs=0.7, depth=True).allocate(graph, scores(graph), value)
    assert with_depth == Budget(macs=0.7).allocate(graph, scores(graph))


def test_of_equal_cost_what_saves_most_leaves_first(graph):
    value = worth(sum0=0.03, sum1=0.03, sum2=0.03)
    with pytest.warns(UserWarning, match="not used up.*without the blocks last2:branch"):
        plan = Budget(params=0.7, depth=True).allocate(graph, scores(graph), value)
    assert left(plan) == ("sum2",)


def test_blocks_alone_may_be_enough(graph):
    value = worth(sum0=0.0, sum1=0.0, sum2=0.0)
    with pytest.warns(UserWarning, match="not used up"):
        plan = Budget(macs=0.7, depth=True).allocate(graph, scores(graph), value)
    assert left(plan) == ("sum2",)
    assert all(len(kept) == plan.channels[name] for name, kept in plan.kept.items())


def test_what_channels_cannot_reach(graph):
    far = Budget(macs=0.2, max_ratio=0.25)
    with pytest.raises(ConfigError, match="cannot be met"):
        far.require_reachable(graph)
    deep = Budget(macs=0.2, max_ratio=0.25, depth=True)
    deep.require_reachable(graph)
    with pytest.warns(UserWarning, match="not used up"):
        plan = deep.allocate(graph, scores(graph), worth(sum0=1.0, sum1=1.0, sum2=1.0))
    pruned = profile(prune(graph.model, plan)).total.macs
    assert pruned <= 0.2 * profile(graph.model).total.macs


@pytest.mark.parametrize(
    "named",
    [{"exclude": ("last1",)}, {"exclude": ("inside1",)}, {"ratios": {"inside1": 0.5}}],
)
@pytest.mark.filterwarnings("ignore:The budget macs=0.7 is not used up")
def test_blocks_with_layers_that_were_named_stay(graph, named):
    value = worth(sum0=5.0, sum1=0.0, sum2=5.0)
    plan = Budget(macs=0.7, depth=True, **named).allocate(graph, scores(graph), value)
    assert "sum1" not in left(plan)


def test_refused():
    with pytest.raises(ConfigError, match="depth: expected a budget of macs or params"):
        Budget(ratio=0.5, depth=True)


def test_the_value_comes_with_depth_and_with_nothing_else(graph):
    for budget, value in ((Budget(macs=0.7, depth=True), None), (Budget(macs=0.7), worth())):
        with pytest.raises(ConfigError, match="depth and value go together"):
            budget.allocate(graph, scores(graph), value)
