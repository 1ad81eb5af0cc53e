"""Rounds follow each other until one finds or keeps nothing."""

import numpy as np
import pytest

from keras_prune.methods.filter_agent import FilterAgent, method
from keras_prune.training import Task
from tests.methods.filter_agent.small import residual_network
from tests.methods.filter_agent.stand_in import StandIn, states, untrained

IMAGES = np.zeros((4, 8, 8, 3), "float32")


@pytest.fixture(scope="module")
def model():
    return residual_network(seed=1)


class Playing(StandIn):
    """Networks are worth what is said, one after the other."""

    def __init__(self, model, values):
        labels = np.zeros(4, "int64")
        task = Task((IMAGES, labels), validation=(IMAGES, labels))
        super().__init__(model, task, baseline=90.0, train=untrained)
        self._values = iter(values)

    def value(self, model):
        return next(self._values)

    def evaluator(self, graph, groups, limit):
        return None


def play(monkeypatch, model, found, values, rounds=5):
    """Rounds whose searches keep the given channels of the group `hidden`, and all of others."""

    class Search:
        def __init__(self, group, evaluator, objective, *, slack, config, seed):
            self.seed, self._group, self.last_update = seed, group, 1
            self._round = (seed - 7) // 1000

        def run(self):
            yield {
                "group": self._group.name, "update": 1, "slack": 0.0, "reward": 0.0,
                "best_reward": 0.0, "kept": 1.0, "best_kept": 1, "channels": 1,
            }  # fmt: skip

        @property
        def choice(self):
            kept = found[self._round - 1] if self._group.name == "hidden" else ()
            mask = np.isin(range(self._group.channels), kept) if kept else np.ones(99)
            return Chosen(mask, self._group.channels if not kept else len(kept))

    class Chosen:
        def __init__(self, mask, kept):
            self.mask, self.kept, self.log_odds = mask, kept, np.arange(len(mask))

    monkeypatch.setattr(method, "GroupSearch", Search)
    context = Playing(model, values)
    context.seed = 7
    return states(FilterAgent(rounds=rounds, b=5.0), context), context


def test_the_plans_of_all_rounds_lead_from_the_original_to_the_model(monkeypatch, model):
    found = [(0, 2, 4), (1, 2), ()]
    run, context = play(monkeypatch, model, found, [80, 89, 80, 88])
    assert dict(run[-1].plan.kept) == {"hidden": (2, 4)}
    assert run[-1].model.get_layer("hidden").units == 2
    assert run[-1].value == 88
    assert run[-1].untouched["hidden"] == "no mask had a positive reward"
    assert list(dict.fromkeys(row["round"] for row in run[-1].history)) == [1, 2, 3]
    assert context.fitted == ["recover hidden", "fine-tune"] * 2


def test_no_more_rounds_than_asked_for(monkeypatch, model):
    run, _ = play(monkeypatch, model, [(0, 2, 4), (1, 2)], [80, 89], rounds=1)
    assert dict(run[-1].plan.kept) == {"hidden": (0, 2, 4)}
    assert {row["round"] for row in run[-1].history} == {1}


def test_a_round_that_finds_nothing_trains_nothing(monkeypatch, model):
    run, context = play(monkeypatch, model, [()], [])
    assert run[-1].model is model
    assert dict(run[-1].plan.kept) == {}
    assert context.fitted == []


@pytest.mark.slow
def test_a_round_that_keeps_nothing_leaves_the_one_before_and_its_notes(monkeypatch, model):
    found = [(0, 2, 4), (1,), (0,)]
    run, _ = play(monkeypatch, model, found, [80, 84, 89, 80, 10, 10, 10])
    assert dict(run[-1].plan.kept) == {"hidden": (0, 2, 4, 5, 6)}  # backed off once
    assert run[-1].value == 89
    assert [note[:8] for note in run[-1].notes] == ["The plan"] * 4 + ["No plan "]
    assert {row["round"] for row in run[-1].history} == {1, 2}


def test_a_round_under_way_has_the_whole_plan_so_far(monkeypatch, model):
    run, _ = play(monkeypatch, model, [(0, 2, 4), (1, 2), ()], [80, 89, 80, 88])
    second = next(
        state for state in run if state.extra["round"] == 2 and state.extra["position"] == 1
    )
    assert dict(second.plan.kept) == {"hidden": (2, 4)}
    assert dict(second.networks["start"].plan.kept) == {"hidden": (0, 2, 4)}
    assert {row["round"] for row in second.history} == {1, 2}
