"""Group after group, on a network whose useless channels are known."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, Role
from keras_prune.methods.filter_agent import FilterAgentConfig, prune_by_agent
from keras_prune.methods.outcome import Outcome
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network

IMAGES = np.random.default_rng(0).normal(size=(60, 8, 8, 3)).astype("float32")
CONFIG = FilterAgentConfig(b=5.0, max_steps=8, patience=8, learning_rate=0.05)


def half_dead_network():
    """Nothing reads the last half of each group: to remove it costs no accuracy."""
    model = residual_network(seed=2)
    for group in ChannelGraph(model).groups.values():
        for member in group.by_role(Role.CONSUMER):
            kernel = keras.ops.convert_to_numpy(member.binding.variable).copy()
            dead = np.flatnonzero(member.owner >= (group.channels + 1) // 2)
            kernel[(slice(None),) * member.binding.axis + (dead,)] = 0
            member.binding.variable.assign(kernel)
    for name in ("first_norm", "second_norm"):  # statistics of the very data, as after training
        model.get_layer(name).momentum = 0.0
    model(IMAGES, training=True)
    return model


@pytest.fixture(scope="module")
def model():
    return half_dead_network()


@pytest.fixture(scope="module")
def labels(model):
    return np.argmax(model(IMAGES, training=False), axis=-1)


def accuracy(model, labels):
    return 100 * np.mean(np.argmax(model(IMAGES, training=False), axis=-1) == labels)


def search(model, labels, seed=0, **options):
    measure = options.pop("accuracy", lambda pruned: accuracy(pruned, labels))
    plan = PruningPlan.for_graph(ChannelGraph(model), {})
    return prune_by_agent(
        Outcome(model, plan, measure(model)),
        IMAGES,
        labels,
        CONFIG,
        baseline=options.pop("baseline", 100.0),
        accuracy=measure,
        recover=options.pop("recover", lambda model, name: None),
        seed=seed,
        **options,
    )


@pytest.fixture(scope="module")
def result(model, labels):
    return search(model, labels)


def test_it_prunes_and_stays_near_the_baseline(result, labels):
    assert accuracy(result.model, labels) >= 90
    removed = sum(n - len(result.plan.kept[g]) for g, n in result.plan.channels.items())
    assert removed >= 6


def test_the_plan_leads_to_the_model(model, result):
    np.testing.assert_allclose(
        prune(model, result.plan)(IMAGES, training=False),
        result.model(IMAGES, training=False),
        rtol=1e-4,
        atol=1e-4,
    )


def test_no_group_is_emptied_and_every_group_is_accounted_for(model, result):
    groups = set(ChannelGraph(model).groups)
    assert set(result.plan.kept) | set(result.untouched) == groups
    assert all(result.plan.kept.values())
    assert set(result.log_odds) == groups


def test_history_has_a_row_per_step(result):
    assert {row["group"] for row in result.history} == set(result.log_odds)
    assert all(1 <= row["best_kept"] <= row["channels"] for row in result.history)


def test_one_seed_gives_one_plan(model, labels, result):
    assert search(model, labels).plan == result.plan


def test_the_model_recovers_after_every_cut_and_the_original_is_left_alone(model, labels):
    before = model.get_weights()
    recovered, saved = [], []
    result = search(
        model,
        labels,
        recover=lambda pruned, name: recovered.append(name),
        on_group=lambda so_far: saved.append(len(so_far.plan.kept)),
    )
    assert recovered == list(result.plan.kept)
    assert saved == sorted(saved)
    assert len(saved) == len(result.log_odds)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)


def jumping(model, to):
    """An accuracy of 50 % that jumps with the first cut."""
    return lambda measured: 50.0 if measured is model else to


def test_what_the_first_cut_cost_is_not_held_against_the_other_groups(model, labels, result):
    assert search(model, labels, accuracy=jumping(model, to=0.0), baseline=50.0).plan == result.plan


def test_a_network_that_became_better_is_pruned_more(model, labels, result):
    bolder = search(model, labels, accuracy=jumping(model, to=90.0), baseline=50.0)
    left = {name: len(channels) for name, channels in result.plan.kept.items()}
    assert sum(len(bolder.plan.kept[name]) for name in left) < sum(left.values())


def test_a_model_with_nothing_to_prune_is_refused(labels):
    inputs = keras.Input((8, 8, 3))
    only = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    with pytest.raises(ModelError, match="no prunable channels"):
        search(only, labels)
