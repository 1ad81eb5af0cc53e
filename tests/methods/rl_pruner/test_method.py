"""Step after step on a small network; with a stand-in for trainings, and for values."""

from dataclasses import replace

import numpy as np
import pytest

from keras_prune import Task
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rl_pruner import RLPruner
from keras_prune.methods.state import Saved
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network
from tests.methods.tiny import assert_same_weights, context
from tests.rollouts.examples import IMAGES, answers

MODEL = residual_network(seed=0)
LABELS = answers(MODEL)
WHOLE = profile(MODEL).total.macs


class Favouring:
    """Values that count how many channels of all groups but the first stay."""

    def __init__(self, graph, groups, limit):
        self.first = groups[0].channels

    def evaluate(self, masks):
        return masks[:, self.first :].sum(axis=1).astype(float)


def run_of(monkeypatch, values=lambda model: 90.0, evaluator=None, **options):
    """A run without trainings, whose values are given."""
    made = context(MODEL, Task((IMAGES, LABELS), validation=(IMAGES, LABELS)), **options)
    made.fitted, made.tracked = [], []
    for name, stand_in in {
        "fit": lambda model, config, stage, **_: made.fitted.append(stage),
        "value": values,
        "track": lambda series, figures: made.tracked.append((series, figures)),
        "evaluator": evaluator,
    }.items():
        if stand_in is not None:
            monkeypatch.setattr(made, name, stand_in)
    return made


def method(**options):
    given = {
        "macs": 0.3, "steps": 2, "samples": 2, "updates": 2, "depth": 2, "criterion": "l1",
        "recalibration_images": 0,
    }  # fmt: skip
    return RLPruner(**given | options)


def states_of(pruner, run, state=None):
    states = [state or pruner.start(run)]
    while not states[-1].done:
        states.append(pruner.step(run, states[-1]))
    return states


def macs(model):
    return profile(model).total.macs / WHOLE


@pytest.fixture(scope="module")
def states():
    """Of one whole search on a real evaluator, which draws more than it needs."""
    with pytest.MonkeyPatch.context() as patch:
        return states_of(method(epsilon=0.5), run_of(patch))


def test_every_step_takes_the_same_fraction(states):
    for number, state in enumerate(states):
        goal = 0.3 ** (number / 2)
        assert 0.8 * goal <= macs(state.model) <= goal
        assert len(state.extra["shares"]) == number + 1
        assert len(state.history) == 2 * number
    assert [row["step"] for row in states[-1].history] == [1, 1, 2, 2]
    assert states[-1].value == 90.0


def test_all_steps_are_one_plan_of_the_original(states):
    assert_same_weights(prune(MODEL, states[-1].plan), states[-1].model)


def test_a_step_leaves_the_state_it_was_given_and_can_be_repeated(states, monkeypatch, tmp_path):
    """Whether the state was saved in between makes no difference."""
    run, agent = run_of(monkeypatch), states[1].extra["agent"]
    Saved(tmp_path, {}).save(states[1], MODEL)
    for given in (states[1], Saved(tmp_path, {}).load(MODEL)):
        again = states_of(method(epsilon=0.5), run, given)[-1]
        assert again.plan == states[-1].plan
        assert again.extra == states[-1].extra
        assert again.history == states[-1].history
    assert states[1].extra["agent"] == agent != states[-1].extra["agent"]


def test_down_to_one_channel_the_groups_stay_the_same(monkeypatch):
    run = run_of(monkeypatch, evaluator=Favouring)
    states = states_of(method(macs=0.06, samples=1, updates=1, depth=1), run)
    assert run.fitted == ["recover step 1", "recover step 2"]
    for state in states:
        assert list(ChannelGraph(state.model).groups) == list(states[0].extra["shares"][0])


def test_the_distribution_moves_to_what_pays(monkeypatch):
    run = run_of(monkeypatch, evaluator=Favouring)
    pruner = method(macs=0.8, steps=1, depth=1, updates=6, samples=8, epsilon=0.0)
    last = states_of(pruner, run)[-1]
    before, after = ([*shares.values()] for shares in last.extra["shares"])
    assert after[0] > 1.5 * before[0]
    best = [row["best_return"] for row in last.history]
    assert best == sorted(best) and best[-1] > last.history[0]["unmoved_return"]
    assert run.tracked[0][0] == "step 1" and "unmoved_return" not in run.tracked[1][1]


def test_the_cut_is_that_of_the_chosen_sample(monkeypatch):
    """The distribution itself, which does not move here, would be worth less."""
    run = run_of(monkeypatch, evaluator=Favouring)
    pruner = method(steps=1, depth=1, samples=16, noise=2.0, step=0.0, epsilon=0.0)
    last = states_of(pruner, run)[-1]
    kept = [len(channels) for channels in last.plan.kept.values()]
    first = last.history[0]
    assert sum(kept[1:]) == last.history[-1]["chosen_return"] > first["unmoved_return"]


def test_a_step_goes_on_with_the_agent_of_the_one_before(monkeypatch):
    pruner, run = method(step=0.0, samples=1, updates=1, depth=1), run_of(monkeypatch)
    start = pruner.start(run)
    agent = start.extra["agent"] | {"distribution": [0.4, 0.3, 0.2, 0.1]}
    after = pruner.step(run, replace(start, extra={**start.extra, "agent": agent}))
    assert list(after.extra["shares"][-1].values()) == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert after.extra["agent"]["random"] != agent["random"]


def test_what_was_best_competes_again_in_the_next_step(monkeypatch):
    run = run_of(monkeypatch, evaluator=Favouring)
    states = states_of(method(updates=1, samples=3, replay=2, depth=1), run)
    assert [row["samples"] for row in states[-1].history] == [3 + 1, 3 + 1 + 2]


def test_a_step_that_costs_too_much_is_undone(monkeypatch):
    seen = iter([94.5, 92.0])
    run = run_of(monkeypatch, lambda model: next(seen), Favouring, baseline=95.0)
    states = states_of(method(max_drop=1.0), run)
    assert len(run.fitted) == 2
    assert states[-1].now is states[1].now
    assert states[-1].value == 94.5
    [note] = states[-1].notes
    assert "Step 2 cost 3 points of validation accuracy" in note and "max_drop = 1" in note


def test_a_step_that_costs_too_much_ends_the_search(monkeypatch):
    run = run_of(monkeypatch, lambda model: 50.0, Favouring, baseline=95.0)
    pruner = method(max_drop=1.0)
    states = states_of(pruner, run)
    assert (len(states), states[-1].step) == (2, 1)
    outcome = pruner.finish(run, states[-1])
    assert run.fitted == ["recover step 1"]  # what was not pruned is not trained
    assert outcome.pruned.model is MODEL and not outcome.pruned.plan.kept


def test_of_a_loss_the_drop_is_what_it_rose(monkeypatch):
    task = Task((IMAGES, LABELS), validation=(IMAGES, LABELS), objective="loss")
    seen = iter([0.3, 2.0])
    run = run_of(monkeypatch, lambda model: next(seen), Favouring, baseline=0.5)
    run.task = task.bind(MODEL)
    last = states_of(method(max_drop=1.0), run)[-1]
    assert (last.value, last.step) == (0.3, 2)
    assert "Step 2 cost 1.5 units of validation loss" in last.notes[0]


def test_a_step_whose_budget_is_met_already_is_passed_over(monkeypatch):
    run = run_of(monkeypatch, evaluator=Favouring)
    states = states_of(method(round_to=4, macs=0.6, steps=6, depth=1, samples=1), run)
    assert states[-1].step == 6
    assert len(run.fitted) < 6
    assert macs(states[-1].model) <= 0.6


def test_scores_are_made_on_training_and_rewards_on_validation_images(monkeypatch):
    asked = []
    examples = Task.examples
    monkeypatch.setattr(
        Task,
        "examples",
        lambda self, *given: asked.append(given) or examples(self, *given),
    )
    run = run_of(monkeypatch)
    pruner = method(steps=1, depth=1, samples=1, reward_images=9, calibration_images=7)
    pruner.step(run, pruner.start(run))
    assert sorted(asked) == [("train", 7), ("validation", 9)]


def test_the_tables_have_a_row_per_update_and_per_distribution(states):
    tables = method().tables(states[-1])
    assert tables["history"]["update"].tolist() == [1, 2, 1, 2]
    assert tables["distribution"]["step"].tolist() == [0, 1, 2]
    shares = tables["distribution"].drop(columns="step")
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert list(shares) == list(ChannelGraph(MODEL).groups)


def test_it_is_fine_tuned_once_at_the_end(states, monkeypatch):
    run = run_of(monkeypatch, lambda model: 77.0)
    outcome = method().finish(run, states[-1])
    assert run.fitted == ["fine-tune"]
    assert (outcome.pruned.value, outcome.pruned.plan) == (77.0, states[-1].plan)
