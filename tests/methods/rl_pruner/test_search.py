"""Stage after stage on a small network, without training."""

from dataclasses import replace

import numpy as np
import pytest

from keras_prune.errors import ConfigError, PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.rl_pruner import RLPruner, RLPrunerConfig, SearchState
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network
from tests.methods.test_rollouts import IMAGES, answers

MODEL = residual_network(seed=0)
LABELS = answers(MODEL)


def pruner(accuracy=lambda model: 90.0, **options):
    given = {
        "macs": 0.3,
        "stages": 2,
        "samples": 2,
        "rounds": 2,
        "depth": 2,
        "criterion": "l1",
    } | options
    nothing = PruningPlan.for_graph(ChannelGraph(MODEL), {})
    recovered = []
    made = RLPruner(
        Outcome(MODEL, nothing, 95.0),
        (IMAGES, LABELS),
        RLPrunerConfig(**given),
        recover=lambda model, stage: recovered.append(stage),
        accuracy=accuracy,
        seed=0,
    )
    return made, recovered


def all_of(made, state=None):
    states = [state or made.start()]
    while not states[-1].ended:
        states.append(made.advance(states[-1]))
    return states


def macs(model):
    return profile(model).total.macs / profile(MODEL).total.macs


@pytest.fixture(scope="module")
def states():
    """Of one whole search, which draws more than it needs."""
    return all_of(pruner(epsilon=0.5)[0])


def test_every_stage_takes_the_same_fraction(states):
    for stage, state in enumerate(states):
        goal = 0.3 ** (stage / 2)
        assert 0.8 * goal <= macs(state.model) <= goal
        assert len(state.shares) == stage + 1
        assert len(state.history) == 2 * stage
    assert states[-1].accuracy == 90.0


def test_all_stages_are_one_plan_of_the_original(states):
    last = states[-1]
    again = prune(MODEL, last.plan)
    for ours, theirs in zip(again.weights, last.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_down_to_one_channel_the_groups_stay_the_same():
    made, recovered = pruner(macs=0.06, samples=1, rounds=1, depth=1)
    states = all_of(made)
    assert recovered == ["recover stage 1", "recover stage 2"]
    for state in states:
        assert list(ChannelGraph(state.model).groups) == list(states[0].shares[0])


def test_a_stage_goes_on_with_the_agent_of_the_one_before():
    made, _ = pruner(step=0.0, samples=1, rounds=1, depth=1)
    start = made.start()
    agent = start.agent | {"distribution": [0.4, 0.3, 0.2, 0.1]}
    after = made.advance(replace(start, agent=agent))
    assert list(after.shares[-1].values()) == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert after.agent["random"] != agent["random"]


def test_a_stage_that_costs_too_much_is_undone():
    seen = iter([94.5, 92.0])
    made, recovered = pruner(accuracy=lambda model: next(seen), max_drop=1.0)
    states = all_of(made)
    assert len(recovered) == 2
    assert states[-1].model is states[1].model
    assert states[-1].accuracy == 94.5
    [note] = states[-1].notes
    assert "Stage 2 cost 3.00 points" in note and "max_drop = 1" in note


def test_a_stage_whose_budget_is_met_already_is_passed_over():
    made, recovered = pruner(round_to=4, macs=0.6, stages=6, depth=1, samples=1)
    states = all_of(made)
    assert states[-1].stage == 6
    assert len(recovered) < 6
    assert macs(states[-1].model) <= 0.6


def test_a_saved_state_goes_on_with_the_same_random_stream(states, tmp_path):
    for state in states[:-1]:
        state.save(tmp_path / "search")
        loaded = SearchState.load(tmp_path / "search")
        again = all_of(pruner(epsilon=0.5)[0], loaded)[-1]
        assert again.plan == states[-1].plan
        assert again.shares == states[-1].shares
        assert again.history == states[-1].history
        assert again.agent == states[-1].agent


def test_a_folder_holds_one_whole_state(states, tmp_path):
    assert SearchState.load(tmp_path) is None
    for state in states:
        state.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"state.json", "stage2.keras"}


@pytest.mark.parametrize("text", ["{", "{}", '{"plan": {}}'])
def test_a_damaged_state_is_one_line(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises((ConfigError, PlanError), match=r"^[^\n]+$"):
        SearchState.load(tmp_path)
