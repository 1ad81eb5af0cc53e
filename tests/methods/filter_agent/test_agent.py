"""One round of the agent, group after group, on a network whose useless channels are known."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent import FilterAgent
from keras_prune.surgery import prune
from keras_prune.training import Task
from tests.methods.filter_agent.small import residual_network
from tests.methods.filter_agent.stand_in import (
    StandIn,
    kill_half,
    removed,
    states,
    untrained,
    weights,
)

IMAGES = np.random.default_rng(0).normal(size=(60, 8, 8, 3)).astype("float32")
OPTIONS = {
    "b": 5.0, "max_updates": 8, "patience": 8, "learning_rate": 0.05, "samples": 4,
    "recalibration_images": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    model = kill_half(residual_network(seed=2))
    for name in ("first_norm", "second_norm"):  # statistics of the very data, as after training
        model.get_layer(name).momentum = 0.0
    model(IMAGES, training=True)
    return model


@pytest.fixture(scope="module")
def task(model):
    labels = np.argmax(model(IMAGES, training=False), axis=-1)
    return Task((IMAGES, labels), validation=(IMAGES, labels))


class Jumping(StandIn):
    """The objective of the original, and another one of all that is cut out of it."""

    def __init__(self, model, task, *, to, baseline):
        super().__init__(model, task, baseline=baseline, train=untrained)
        self._to = to

    def value(self, model):
        return self._to


def groups_of_a_round(context, **options):
    """The state after the last group."""
    method = FilterAgent(**OPTIONS | options)
    state = method.start(context)
    for _ in state.extra["groups"]:
        state = method.step(context, state)
    return state


@pytest.fixture(scope="module")
def context(model, task):
    return StandIn(model, task, train=untrained)


@pytest.fixture(scope="module")
def run(model, task, context):
    return states(FilterAgent(**OPTIONS), context)


def test_it_prunes_and_stays_near_the_baseline(run, context):
    assert context.value(run[-1].model) >= 95
    assert removed(run[-1].plan) >= 6


def test_a_step_is_a_group_from_the_output_to_the_input_or_the_rounds_end(model, run):
    names = list(ChannelGraph(model).groups)[::-1]
    assert len(run) == 1 + len(names) + 1
    assert list(dict.fromkeys(row["group"] for row in run[-1].history)) == names
    assert [state.done for state in run] == [False] * (len(names) + 1) + [True]


def test_the_plan_leads_to_the_model(model, run):
    np.testing.assert_allclose(
        prune(model, run[-1].plan)(IMAGES, training=False),
        run[-1].model(IMAGES, training=False),
        rtol=1e-4,
        atol=1e-4,
    )


def test_no_group_is_emptied_and_every_group_is_accounted_for(model, run):
    last, groups = run[-1], ChannelGraph(model).groups
    assert set(last.plan.kept) | set(last.untouched) == set(groups)
    assert all(last.plan.kept.values())
    assert [len(odds) for odds in run[-2].arrays["log_odds"]] == [
        group.channels for group in reversed(groups.values())
    ]


def test_history_has_a_row_per_update(run):
    assert 0 <= run[-1].history[-1]["pruned_value"] <= 100  # of the last row of each group
    for row in run[-1].history:
        assert 1 <= row["best_kept"] <= row["channels"]
        assert [key for key in row if key != "pruned_value"] == [
            "round", "group", "update", "slack", "reward", "best_reward", "kept", "best_kept",
            "channels",
        ]  # fmt: skip


def test_all_samples_of_an_update_are_measured_in_one_call(context):
    for evaluator in context.evaluators:
        first, *updates, mode = evaluator.calls
        assert len(first) == len(mode) == 1
        assert {len(masks) for masks in updates} == {OPTIONS["samples"]}


def test_it_recovers_after_every_cut_and_fine_tunes_at_the_end(run, context):
    cut = [f"recover {name}" for name in run[-1].plan.kept]
    assert context.fitted == [*cut, "fine-tune"]


@pytest.mark.slow
def test_the_original_is_left_alone(model, task, run):
    before = weights(model)
    groups_of_a_round(StandIn(model, task, train=untrained), max_updates=1)
    for old, now in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(old, now)


@pytest.mark.slow
def test_one_seed_gives_one_plan(model, task, run):
    again = groups_of_a_round(StandIn(model, task, train=untrained))
    assert again.plan == run[-1].plan


@pytest.mark.slow
def test_what_the_first_cut_cost_is_not_held_against_the_other_groups(model, task, run):
    state = groups_of_a_round(Jumping(model, task, to=0.0, baseline=100.0))
    assert state.plan == run[-1].plan


@pytest.mark.slow
def test_a_network_that_became_better_is_pruned_more(model, task, run):
    bolder = groups_of_a_round(Jumping(model, task, to=140.0, baseline=100.0))
    assert {row["slack"] for row in bolder.history} == {0.0, 40.0}
    assert removed(bolder.plan) > removed(run[-1].plan)


@pytest.mark.slow
def test_excluded_groups_and_layers_stay_whole_and_the_state_says_why(model, task):
    context = StandIn(model, task, train=untrained)
    state = groups_of_a_round(context, max_updates=2, exclude=("hid*", "nested_conv"))
    whole = {name for name, why in state.untouched.items() if why == "it is excluded"}
    assert "hidden" in whole
    assert len(whole) == 2
    assert not whole & set(state.plan.kept)
    assert not whole & {row["group"] for row in state.history}


def test_a_pattern_that_matches_nothing_is_refused(model):
    with pytest.raises(ConfigError, match="hiden"):
        FilterAgent(exclude=("hiden",)).check(model, None)


def test_to_exclude_everything_is_refused(model):
    with pytest.raises(ConfigError, match="exclude"):
        FilterAgent(exclude=("*",)).check(model, None)


def test_a_model_with_nothing_to_prune_is_refused():
    inputs = keras.Input((8, 8, 3))
    only = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    with pytest.raises(ModelError, match="no prunable channels"):
        FilterAgent().check(only, None)
