"""The decision network, and how a balance moves its decisions."""

import keras
import numpy as np

from keras_prune.agents.q_learning import greedy
from keras_prune.methods.rnp.network import DecisionNetwork

from .small import scattered


def network():
    return scattered(DecisionNetwork([3, 5], actions=4, code=8, units=6))


def states(count=6):
    random = np.random.default_rng(2)
    return [random.normal(size=(count, channels)).astype("float32") for channels in (3, 5)]


def test_steps_give_what_the_whole_episode_gives():
    decide, seen = network(), states()
    whole = decide(seen).numpy()
    memory = decide.start(6)
    for number, state in enumerate(seen):
        values, memory = decide.step(number, state, memory)
        np.testing.assert_allclose(values, whole[:, number], atol=1e-6)


def test_a_decision_remembers_those_below():
    decide, (first, second) = network(), states()
    before, after = (decide([x, second]).numpy()[:, 1] for x in (first, first[::-1]))
    assert np.abs(before - after).max() > 1e-3


def test_balance_shifts_towards_fewer_or_more_sets():
    decide, seen = network(), states(200)

    def mean(balance):
        choose = greedy(decide, 200, balance)
        return np.mean([choose(n, state).numpy() for n, state in enumerate(seen)])

    means = [mean(balance) for balance in (-1e6, -0.3, 0.0, 0.3, 1e6)]
    assert means == sorted(means)
    assert means[0] == 0 and means[-1] == 3
    assert len(set(means)) == 5


def test_a_price_and_a_balance_mean_the_same():
    decide, seen = network(), states(50)
    values = decide(seen).numpy()[:, 0]
    expected = (values + 0.2 * np.arange(4)).argmax(axis=1)
    np.testing.assert_array_equal(greedy(decide, 50, 0.2)(0, seen[0]), expected)


def test_adapt_centres_the_states():
    decide = network()
    random = np.random.default_rng(0)
    seen = [random.normal(40, 7, size=(500, channels)) for channels in (3, 5)]
    decide.adapt(seen)
    scaled = (seen[1] - decide.means[1].numpy()) * decide.scales[1].numpy()
    np.testing.assert_allclose([scaled.mean(), scaled.std()], [0, 1], atol=1e-3)


def test_a_channel_that_never_varies_tells_nothing():
    decide, (_, varying) = network(), states()
    constant = np.full((6, 3), 0.3, "float32")
    decide.adapt([constant, varying])
    first, other = (decide([x, varying]) for x in (constant, constant + 1e-3))
    np.testing.assert_array_equal(first, other)


def test_set_weights_takes_the_scale_of_the_states_along():
    decide, seen = network(), states()
    decide.adapt([40 + 7 * state for state in seen])
    twin = DecisionNetwork([3, 5], actions=4, code=8, units=6)
    twin.set_weights(decide.get_weights())
    np.testing.assert_array_equal(twin(seen), decide(seen))


def test_it_comes_back_from_a_file(tmp_path):
    decide, seen = network(), states()
    decide.adapt(seen)
    inputs = [keras.Input((3,)), keras.Input((5,))]
    keras.Model(inputs, decide(inputs)).save(tmp_path / "decide.keras")
    loaded = keras.models.load_model(tmp_path / "decide.keras")
    np.testing.assert_allclose(loaded(seen), decide(seen), atol=1e-6)


def test_macs_are_those_of_its_matrices():
    decide = network()
    assert decide.macs == (3 + 5) * 8 + 2 * (8 * 6 + 6 * 6 + 6 * 4)
