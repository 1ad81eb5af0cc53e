"""`b` is kept: by giving channels back, and in the end by pruning nothing."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.guard import back_off, keep_promise
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network


@pytest.fixture(scope="module")
def model():
    return residual_network(seed=1)


@pytest.fixture(scope="module")
def plan(model):
    return PruningPlan.for_graph(ChannelGraph(model), {"stem": (1,), "hidden": (0, 3)})


LOG_ODDS = {"stem": np.array([0.0, 9, 2, 5, 4, 1]), "hidden": np.arange(7.0)}


def keep(model, plan, reached, b=1.0):
    """Keeps the promise where successive fine-tunings reach the given accuracies."""
    found, trained = iter(reached), []
    kept = keep_promise(
        model,
        prune(model, plan),
        plan,
        LOG_ODDS,
        baseline=90.0,
        b=b,
        finetune=trained.append,
        accuracy=lambda _: next(found),
    )
    return kept, trained


def test_back_off_gives_the_likeliest_half_back(plan):
    assert back_off(plan, LOG_ODDS).kept == {"stem": (1, 2, 3, 4), "hidden": (0, 3, 4, 5, 6)}


def test_a_plan_within_b_is_kept_as_it_is(model, plan):
    kept, trained = keep(model, plan, [89.0])
    assert (kept.plan, kept.accuracy, kept.notes) == (plan, 89.0, ())
    assert len(trained) == 1


def test_a_plan_beyond_b_is_backed_off_and_the_report_says_so(model, plan):
    kept, trained = keep(model, plan, [88.9, 89.5])
    assert kept.plan == back_off(plan, LOG_ODDS)
    assert kept.model.get_layer("hidden").units == 5
    assert kept.accuracy == 89.5
    assert "1.10 points" in kept.notes[0]
    assert len(trained) == 2


def test_where_nothing_helps_nothing_is_pruned(model, plan):
    kept, _ = keep(model, plan, [10.0, 20.0, 30.0])
    assert kept.model is model
    assert dict(kept.plan.kept) == {}
    assert "nothing was pruned" in kept.notes[-1]


def test_a_larger_b_tolerates_more(model, plan):
    assert keep(model, plan, [88.9], b=2.0)[0].plan == plan
