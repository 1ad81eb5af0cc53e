"""Rounds follow each other until one finds or keeps nothing."""

import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.agent import FilterAgentResult
from keras_prune.methods.filter_agent.rounds import prune_in_rounds
from keras_prune.methods.outcome import Outcome
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network


def plan_for(model, **kept):
    return PruningPlan.for_graph(ChannelGraph(model), kept)


@pytest.fixture(scope="module")
def start():
    model = residual_network(seed=1)
    return Outcome(model, plan_for(model), accuracy=90.0)


def play(start, found, refuse=(), rounds=5):
    """Rounds whose searches keep the given channels; those of a number in `refuse` are undone."""
    saved = []

    def search(kept, number, on_group):
        plan = plan_for(kept.model, **found[number - 1])
        untouched = {} if found[number - 1] else {"hidden": "nothing found"}
        result = FilterAgentResult(
            prune(kept.model, plan), plan, history=[{"step": 1}], untouched=untouched
        )
        on_group(result)
        return result

    def keep(kept, result):
        refused = len(saved) in refuse
        notes = (f"note {len(saved)}",)
        if refused:
            return Outcome(kept.model, plan_for(kept.model), 90.0, notes)
        return Outcome(result.model, result.plan, 90.0 - len(saved), notes)

    done = prune_in_rounds(start, rounds, search=search, keep=keep, save=saved.append)
    return done, saved


def test_the_plans_of_all_rounds_lead_from_the_original_to_the_model(start):
    done, _ = play(start, [{"hidden": (0, 2, 4)}, {"hidden": (1, 2)}, {}])
    assert dict(done.kept.plan.kept) == {"hidden": (2, 4)}
    assert done.kept.model.get_layer("hidden").units == 2
    assert done.kept.accuracy == 88.0
    assert done.untouched == {"hidden": "nothing found"}
    assert [row["round"] for row in done.history] == [1, 2, 3]


def test_no_more_rounds_than_asked_for(start):
    done, saved = play(start, [{"hidden": (0, 2, 4)}, {"hidden": (1, 2)}], rounds=1)
    assert dict(done.kept.plan.kept) == {"hidden": (0, 2, 4)}
    assert len(saved) == 1


def test_a_round_that_keeps_nothing_leaves_the_one_before_and_its_notes(start):
    done, _ = play(start, [{"hidden": (0, 2, 4)}, {"hidden": (1,)}, {}], refuse={2})
    assert dict(done.kept.plan.kept) == {"hidden": (0, 2, 4)}
    assert done.kept.accuracy == 89.0
    assert done.kept.notes == ("note 1", "note 2")
    assert len(done.history) == 2


def test_what_is_saved_after_a_group_is_the_whole_so_far(start):
    _, saved = play(start, [{"hidden": (0, 2, 4)}, {"hidden": (1, 2)}, {}])
    assert dict(saved[1].kept.plan.kept) == {"hidden": (2, 4)}
    assert [row["round"] for row in saved[1].history] == [1, 2]


def test_a_model_nothing_was_found_in_is_not_fine_tuned(start):
    done, saved = play(start, [{}])
    assert done.kept.model is start.model
    assert (len(saved), done.kept.notes) == (1, ())
