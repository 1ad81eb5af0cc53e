"""The environment, with a stand-in for the network's value."""

import sys

import numpy as np
import pytest

from keras_prune.errors import ConfigError
from keras_prune.graph import CutCosts
from keras_prune.training import Objective

from .counting import GRAPH, Counting, environment


def test_an_episode_leads_to_the_last_budget():
    env = environment()
    state, told = env.reset()
    assert (state.tolist(), told) == ([1.0] * 4, {})
    state, reward, ended, cut_short, told = env.step(np.ones(2))
    assert (reward, ended, cut_short) == (11.0, False, False)  # 16 · sqrt(0.5) channels
    state, reward, ended, _, told = env.step(np.array([0.0, 1.0]))
    assert (reward, ended) == (8.0, True)
    assert state[:2].sum() == 1.0
    assert told["value"] == 8.0
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
    assert reward == pytest.approx(told["value"] + removed)


def test_of_an_objective_less_of_which_is_better_the_reward_is_the_negative():
    _, reward, _, _, told = environment(objective=Objective("loss")).step(np.ones(2))
    assert (reward, told["value"]) == (-11.0, 11.0)


def test_the_plan_of_an_action_is_that_of_its_first_step():
    env = environment()
    action = np.array([0.3, 0.7])
    taken = env.step(action)[4]["plan"]
    assert env.plan(action) == taken


ACTIONS = np.random.default_rng(0).gamma(1, size=(6, 2))
WEIGHTS = np.random.default_rng(1).normal(size=16)


def follow(episode, depth):
    return np.random.default_rng((episode, depth)).gamma(1, size=2)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_returns_are_those_of_episodes_one_by_one(depth):
    options = {"depth": depth, "macs_weight": 0.3, "objective": Objective("loss")}
    found = environment(evaluator=Counting(WEIGHTS), **options).returns(ACTIONS, 0.5, follow)
    env = environment(evaluator=Counting(WEIGHTS), **options)
    for number, action in enumerate(ACTIONS):
        env.reset()
        rewards = []
        for taken in range(depth):
            rewards.append(env.step(action if not taken else follow(number, taken))[1])
        discounts = 0.5 ** np.arange(depth)
        assert found[number] == pytest.approx(np.average(rewards, weights=discounts), abs=1e-12)
    assert len(set(found)) > 3


def test_all_episodes_are_measured_together_and_leave_the_environment_alone():
    counting = Counting(WEIGHTS)
    env = environment(evaluator=counting)
    env.step(np.ones(2))
    env.returns(ACTIONS, 1.0, follow)
    assert [masks.shape for masks in counting.asked] == [(1, 16), (6, 16), (6, 16)]
    assert env.step(np.ones(2))[2]  # the second step of its own episode


def test_no_return_depends_on_the_order_of_the_others():
    env = environment(evaluator=Counting(WEIGHTS))
    found = env.returns(ACTIONS, 0.5, follow)
    turned = env.returns(ACTIONS[::-1], 0.5, lambda episode, depth: follow(5 - episode, depth))
    np.testing.assert_array_equal(turned, found[::-1])
    for number, action in enumerate(ACTIONS):
        alone = env.returns(action[None], 0.5, lambda _, depth, n=number: follow(n, depth))
        assert alone[0] == found[number]


@pytest.mark.filterwarnings("error")
def test_gymnasium_accepts_it():
    checker = pytest.importorskip("gymnasium.utils.env_checker")
    checker.check_env(environment().gymnasium(), skip_render_check=True)


def test_gymnasium_steps_like_the_environment():
    pytest.importorskip("gymnasium")
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
