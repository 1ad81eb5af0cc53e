"""Episodes: images that are played with random actions."""

import numpy as np
import pytest

from keras_prune.methods.rnp.episodes import Played, generator, validation_episodes
from keras_prune.methods.rnp.network import DecisionNetwork

from .runs import context, decided, network


@pytest.fixture(scope="module")
def run():
    return context(network())


def episodes(run, random):
    return validation_episodes(run, decided(run.model), DecisionNetwork([8], 2), random)


def test_rewards_are_the_price_of_every_set_and_the_loss_at_the_end():
    played = Played([], np.array([[0, 3], [2, 1]], "int32"), np.array([0.5, 2.0], "float32"))
    np.testing.assert_allclose(
        played.rewards(price=-0.1, alpha=2.0), [[0.0, -0.3 - 1.0], [-0.2, -0.1 - 4.0]], rtol=1e-6
    )


def test_as_many_images_as_a_batch_has_and_one_trace(run):
    found = episodes(run, np.random.default_rng(0))
    seen = {tuple(map(tuple, found.play(epsilon).actions)) for epsilon in (1.0, 0.7, 1.0)}
    assert len(seen) == 3
    assert {len(actions) for actions in seen} == {32}
    assert not isinstance(found._play, type(lambda: 0))  # one concrete function


def test_a_stream_goes_on_where_it_stood(run):
    random = np.random.default_rng(4)
    first = episodes(run, random)
    first.play(1.0)
    state = random.bit_generator.state
    expected, found = first.play(1.0), episodes(run, generator(state)).play(1.0)
    np.testing.assert_array_equal(found.actions, expected.actions)
    np.testing.assert_array_equal(found.losses, expected.losses)
