"""Step by step to a budget."""

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.ranking.steps import prune_in_steps
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network


def score(graph):
    """The first channels matter most."""
    return {name: np.arange(group.channels, 0, -1.0) for name, group in graph.groups.items()}


def steps(model, count=3, recover=lambda model, name: None, **budget):
    return prune_in_steps(
        model, Budget(**(budget or {"macs": 0.4})), count, score=score, recover=recover
    )


@pytest.fixture(scope="module")
def model():
    return residual_network(seed=0)


def test_the_budget_counts_from_the_original(model):
    done = steps(model)
    whole = profile(model).total.macs
    assert 0.3 * whole < profile(done.model).total.macs <= 0.4 * whole
    macs = [row["macs"] for row in done.history]
    assert macs == sorted(macs, reverse=True)
    assert len(macs) == 3
    assert macs[-1] == profile(done.model).total.macs


def test_the_plan_leads_to_the_model(model):
    done = steps(model)
    again = prune(model, done.plan)
    for a, b in zip(again.get_weights(), done.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    left = sum(len(done.plan.kept[name]) for name in done.plan.channels)
    assert done.history[-1]["channels"] == left


def test_the_model_recovers_between_the_steps_and_the_scores_are_of_what_is_left(model):
    seen = []

    def recover(model, name):
        seen.append((name, sum(g.channels for g in ChannelGraph(model).groups.values())))

    done = steps(model, recover=recover)
    assert [name for name, _ in seen] == ["recover 1/3", "recover 2/3"]
    assert [channels for _, channels in seen] == [row["channels"] for row in done.history[:2]]


def test_steps_that_are_met_already_are_left_out(model):
    """There are far fewer channels than steps."""
    done = steps(model, count=200, ratio=0.2)
    assert 1 < len(done.history) < 10


def test_only_the_last_step_says_that_the_budget_was_missed(model):
    done = steps(model, count=1, ratio=0.98)
    assert len(done.notes) == 1 and "cannot be met" in done.notes[0]
    assert steps(model, ratio=0.5).notes == ()


def test_a_budget_that_changes_nothing_is_refused(model):
    with pytest.raises(ConfigError, match="would change nothing"):
        steps(model, macs=1.0)
