"""`b` is kept: by giving channels back, and in the end by pruning nothing."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.back_off import back_off, fine_tuned_within
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.training.objective import Objective
from tests.methods.filter_agent.small import residual_network


@pytest.fixture(scope="module")
def model():
    return residual_network(seed=1)


@pytest.fixture(scope="module")
def plan(model):
    return PruningPlan.for_graph(ChannelGraph(model), {"stem": (1,), "hidden": (0, 3)})


LOG_ODDS = {"stem": np.array([0.0, 9, 2, 5, 4, 1]), "hidden": np.arange(7.0)}


def keep(model, plan, reached, b=1.0, objective="accuracy", baseline=90.0):
    """Keeps the promise where successive fine-tunings reach the given values."""
    found, trained = iter(reached), []
    kept, notes = fine_tuned_within(
        b,
        ChannelGraph(model),
        prune(model, plan),
        plan,
        LOG_ODDS,
        objective=Objective(objective),
        baseline=baseline,
        finetune=trained.append,
        value=lambda _: next(found),
    )
    return kept, notes, trained


def test_back_off_gives_the_likeliest_half_back(plan):
    assert back_off(plan, LOG_ODDS).kept == {"stem": (1, 2, 3, 4), "hidden": (0, 3, 4, 5, 6)}


def test_a_plan_within_b_is_kept_as_it_is(model, plan):
    kept, notes, trained = keep(model, plan, [89.0])
    assert (kept.plan, kept.value, notes) == (plan, 89.0, ())
    assert trained == [kept.model]


def test_a_plan_beyond_b_is_backed_off_and_the_report_says_so(model, plan):
    kept, notes, trained = keep(model, plan, [88.9, 89.5])
    assert kept.plan == back_off(plan, LOG_ODDS)
    assert kept.model.get_layer("hidden").units == 5
    assert kept.value == 89.5
    assert "cost 1.1 points of validation accuracy" in notes[0]
    assert len(trained) == 2


def test_where_nothing_helps_nothing_is_pruned(model, plan):
    kept, notes, trained = keep(model, plan, [10.0, 20.0, 30.0])
    assert kept is None
    assert "nothing was pruned" in notes[-1]
    assert len(trained) == 3


def test_a_larger_b_tolerates_more(model, plan):
    assert keep(model, plan, [88.9], b=2.0)[0].plan == plan


def test_less_of_an_objective_to_be_minimised_is_no_drop(model, plan):
    options = {"b": 0.01, "objective": "mean_squared_error", "baseline": 0.5}
    assert keep(model, plan, [0.2], **options)[0].plan == plan
    kept, notes, _ = keep(model, plan, [0.5125, 0.505], **options)
    assert kept.plan == back_off(plan, LOG_ODDS)
    assert "cost 0.0125 units of validation mean_squared_error" in notes[0]
