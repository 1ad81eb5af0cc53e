"""The environment, with a stand-in for the network's accuracy."""

import sys

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError
from keras_prune.graph import CutCosts
from keras_prune.methods.rl_pruner import PruningEnvironment
from tests.budgets.networks import dense_graph

GRAPH = dense_graph(a=8, b=8)
SCORES = {"a": np.arange(8.0), "b": np.arange(8.0)}
BUDGETS = Budget(ratio=0.5).steps(2, GRAPH)


def environment(**options):
    """Its accuracy is the number of channels that stay."""
    return PruningEnvironment(GRAPH, SCORES, BUDGETS, lambda mask: float(mask.sum()), **options)


def test_an_episode_leads_to_the_last_budget():
    env = environment()
    state, told = env.reset()
    assert (state.tolist(), told) == ([1.0] * 4, {})
    state, reward, ended, cut_short, told = env.step(np.ones(2))
    assert (reward, ended, cut_short) == (11.0, False, False)  # 16 · sqrt(0.5) channels
    state, reward, ended, _, told = env.step(np.array([0.0, 1.0]))
    assert (reward, ended) == (8.0, True)
    assert state[:2].sum() == 1.0
    assert told["accuracy"] == 8.0
    masks = {name: np.isin(np.arange(8), kept) for name, kept in told["plan"].kept.items()}
    costs = CutCosts(GRAPH)
    assert state[2] == pytest.approx(costs.macs(masks) / costs.macs({}))
    assert told["params"] == pytest.approx(costs.parameters(masks) / costs.parameters({}))


def test_what_has_left_stays_away():
    env = environment()
    first = env.step(np.array([1.0, 0.0]))[4]["plan"]
    second = env.step(np.array([0.0, 1.0]))[4]["plan"]
    for name in "ab":
        assert set(second.kept[name]) <= set(first.kept[name])
    assert env.reset()[0].tolist() == [1.0] * 4


def test_the_reward_weighs_what_was_removed():
    told = environment().step(np.ones(2))[4]
    reward = environment(macs_weight=0.5, params_weight=2.0).step(np.ones(2))[1]
    removed = 50 * (1 - told["macs"]) + 200 * (1 - told["params"])
    assert reward == pytest.approx(told["accuracy"] + removed)


def test_the_plan_of_an_action_is_that_of_its_first_step():
    env = environment()
    action = np.array([0.3, 0.7])
    taken = env.step(action)[4]["plan"]
    assert env.plan(action) == taken


@pytest.mark.filterwarnings("error")
def test_gymnasium_accepts_it():
    from gymnasium.utils.env_checker import check_env

    check_env(environment().gymnasium(), skip_render_check=True)


def test_gymnasium_steps_like_the_environment():
    ours, theirs = environment(), environment().gymnasium()
    theirs.reset(seed=1)
    for action in (np.array([0.2, 0.9], "float32"), np.array([0.0, 0.0], "float32")):
        (state, *rest), (same, *others) = ours.step(action), theirs.step(action)
        np.testing.assert_array_equal(state, same)
        assert rest == others


def test_without_gymnasium_one_line_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras_prune.methods.rl_pruner.gym", raising=False)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ConfigError, match=r"pip install 'keras-prune\[gymnasium\]'"):
        environment().gymnasium()
