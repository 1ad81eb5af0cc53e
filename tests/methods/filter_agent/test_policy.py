"""The policy reads kernels of any shape."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph, Role
from keras_prune.methods.filter_agent.policy import build_policy, policy_state

layers = keras.layers
RESHAPE = layers.Reshape((3, 3, 4))


def first_group(*stack, shape=(8, 8, 3)):
    model = keras.Sequential([keras.Input(shape), *stack])
    return next(iter(ChannelGraph(model).groups.values()))


@pytest.mark.parametrize(
    ("group", "channels", "fan_in"),
    [
        (first_group(layers.Conv2D(5, 3), layers.Conv2D(2, 1)), 5, 27),
        (first_group(layers.Dense(600), layers.Dense(2), shape=(5000,)), 600, 4096),
        (first_group(layers.Dense(36), RESHAPE, layers.Conv2D(2, 3), shape=(6,)), 4, 54),
        (first_group(layers.Conv1D(6, 3), layers.Conv1D(4, 3, groups=2), shape=(9, 2)), 3, 12),
    ],
)  # fmt: skip
def test_any_kernel_gives_a_log_odd_per_channel(group, channels, fan_in):
    state = policy_state(group)
    assert group.channels == channels
    assert state[0].shape == (channels, fan_in, 1)
    assert state[1].shape == (channels, 2)
    assert build_policy(state, seed=0)(state).shape == (channels, 1)


def test_small_filters_that_are_little_read_leave_first():
    group = first_group(layers.Conv2D(4, 3, name="conv"), layers.Conv2D(2, 1))
    for member in (*group.by_role(Role.PRODUCER), *group.by_role(Role.CONSUMER)):
        scale = np.ones(member.binding.variable.shape)
        index = [slice(None)] * scale.ndim
        index[member.binding.axis] = 2
        scale[tuple(index)] = 1e-3
        member.binding.variable.assign(member.binding.variable * scale)
    state = policy_state(group)
    assert int(np.argmin(build_policy(state, seed=0)(state))) == 2


def test_one_seed_gives_one_policy():
    state = policy_state(first_group(layers.Conv2D(5, 3), layers.Conv2D(2, 1)))
    weights = [build_policy(state, seed).get_weights() for seed in (0, 0, 1)]
    assert all((a == b).all() for a, b in zip(weights[0], weights[1], strict=True))
    assert any((a != b).any() for a, b in zip(weights[0], weights[2], strict=True))
