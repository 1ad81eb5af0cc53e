"""Backbone and agent trained in turn, on a task where some images are hard."""

import keras
import numpy as np
import pytest

from keras_prune import data
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.alternation import Alternation
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.decisions import find_decisions
from keras_prune.methods.rnp.episodes import Episodes, Played
from keras_prune.methods.rnp.judging import Judge
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training import CommonConfig, TrainingConfig, fit

layers = keras.layers


def network():
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 1))
    x = layers.Rescaling(1 / 255)(image)
    for number in range(3):
        x = layers.Conv2D(8, 3, strides=2, name=f"conv{number}")(x) if number < 2 else x
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    return keras.Model(image, layers.Dense(10, name="logits")(layers.Flatten()(x)))


@pytest.fixture(scope="module")
def splits():
    return data.load("digits", input_shape=(16, 16, 1), batch_size=32)


def alternation(splits, model, **config):
    told = []
    decisions = find_decisions(ChannelGraph(model), 2)
    settings = {"sets": 2, "rounds": 1, "episodes": 6, "updates": 2, **config}
    made = Alternation(
        decisions,
        splits,
        CommonConfig(batch_size=32, seed=5),
        TrainingConfig(epochs=1, learning_rate=0.05, steps_per_epoch=30),
        RNPConfig(**settings),
        watcher=lambda progress: None,
        recording=lambda stage: [],
        on_finetuned=lambda stage, rows: told.append((stage, rows)),
        on_episodes=lambda row: None,
    )
    return made, decisions, told


def test_a_round_trains_the_backbone_and_then_the_agent(splits):
    model = network()
    made, decisions, told = alternation(splits, model, rounds=2)
    before = [weight.numpy().copy() for weight in model.weights]
    judge = Judge(decisions, made.network)
    images, labels = splits.validation_arrays()
    least = np.zeros((len(labels), 1), "int32")
    untrained = judge.forced(images, labels, least).accuracy
    made.run()
    moved = {
        weight.path: not np.array_equal(old, weight)
        for old, weight in zip(before, model.weights, strict=True)
    }
    assert moved["conv1/kernel"] and moved["logits/kernel"]
    assert not moved["norm1/moving_mean"]  # it would be that of all widths at once
    assert judge.forced(images, labels, least).accuracy > untrained + 20
    assert [stage for stage, _ in told] == ["fine-tune, round 1", "fine-tune, round 2"]
    assert all(rows[0]["epoch"] == 1 and rows[0]["accuracy"] > 0 for _, rows in told)
    assert [row["round"] for row in made.history] == [1] * 6 + [2] * 6
    epsilons = [row["epsilon"] for row in made.history[:6]]
    assert epsilons[0] == 1 and epsilons == sorted(epsilons, reverse=True)


def test_the_same_seed_learns_the_same(splits):
    rewards = []
    for _ in range(2):
        made, *_ = alternation(splits, network())
        made.run()
        rewards.append([row["reward"] for row in made.history])
    np.testing.assert_allclose(*rewards, rtol=1e-4)


@pytest.mark.parametrize(("price", "taken"), [(-10.0, 0), (-1e-3, 1)])
def test_the_agent_learns_what_pays(splits, price, taken):
    """A network that was trained at full width alone is bad at any other."""
    model = network()
    fit(model, splits, TrainingConfig(epochs=5, learning_rate=0.05), seed=0)
    made, decisions, _ = alternation(splits, model)
    made.teach(RNPConfig(sets=2, price=price, episodes=40, learning_rate=3e-3, alpha=1.0), 1)
    found = Judge(decisions, made.network).greedy(*splits.validation_arrays())
    assert np.mean(found.actions == taken) > 0.9


def test_alpha_makes_the_loss_1_on_average(splits):
    made, *_ = alternation(splits, network())
    made.run()
    played = [made._episodes.play(1.0).losses.mean() for _ in range(20)]
    assert made.alpha * np.mean(played) == pytest.approx(1, abs=0.15)


def test_rewards_are_the_price_of_every_set_and_the_loss_at_the_end():
    played = Played([], np.array([[0, 3], [2, 1]], "int32"), np.array([0.5, 2.0], "float32"))
    np.testing.assert_allclose(
        played.rewards(price=-0.1, alpha=2.0), [[0.0, -0.3 - 1.0], [-0.2, -0.1 - 4.0]], rtol=1e-6
    )


def test_episodes_are_traced_once(splits):
    decisions = find_decisions(ChannelGraph(network()), 2)
    images, labels = splits.validation_arrays()
    agent = DecisionNetwork([8], 2)
    episodes = Episodes(
        decisions, agent, images, labels, batch_size=32, precision="float32", seed=0
    )
    seen = {tuple(map(tuple, episodes.play(epsilon).actions)) for epsilon in (1.0, 0.7, 1.0)}
    assert len(seen) == 3
    assert not isinstance(episodes._play, type(lambda: 0))  # one concrete function
