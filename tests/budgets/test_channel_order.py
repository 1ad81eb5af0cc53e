"""The order in which channels come back."""

import numpy as np

from keras_prune.budgets.channel_order import ChannelOrder

SCORES = {"a": np.array([0.9, 0.1, 0.5]), "b": np.array([0.2, 0.2, 0.8, 0.2])}
ANY = {"a": np.array([1, 2, 3]), "b": np.array([1, 2, 3, 4])}
BEFORE = {"a": 3, "b": 4}


def kept(order: ChannelOrder, steps: int) -> dict[str, list[int]]:
    masks = order.masks(order.levels_after(steps))
    return {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()}


def test_at_the_bottom_each_group_keeps_its_best():
    assert kept(ChannelOrder(SCORES, ANY, BEFORE, "global"), 0) == {"a": [0], "b": [2]}


def test_globally_the_best_channels_come_first_and_of_equals_the_lower_index():
    order = ChannelOrder(SCORES, ANY, BEFORE, "global")
    assert order.steps.tolist() == [0, 1, 1, 1, 0]
    assert kept(order, 3) == {"a": [0, 2], "b": [0, 1, 2]}


def test_locally_groups_grow_at_the_same_rate():
    order = ChannelOrder(SCORES, ANY, BEFORE, "local")
    assert order.steps.tolist() == [1, 0, 1, 0, 1]
    assert order.steps_within(0.5) == 1
    assert order.steps_within(0.75) == 3


def test_the_rate_is_that_of_the_original():
    assert ChannelOrder(SCORES, ANY, {"a": 3, "b": 8}, "local").steps.tolist() == [1, 1, 1, 0, 0]


def test_channels_come_back_in_steps_of_their_levels():
    levels = {"a": np.array([3]), "b": np.array([2, 4])}
    order = ChannelOrder(SCORES, levels, BEFORE, "global")
    assert order.steps.tolist() == [1]
    assert kept(order, 0) == {"a": [0, 1, 2], "b": [0, 2]}


def test_a_step_ranks_by_the_mean_of_its_channels():
    scores = {"a": np.array([1.0, 1.0, 0.9, 0.1]), "b": np.array([1.0, 1.0, 0.6, 0.6])}
    levels = {"a": np.array([2, 4]), "b": np.array([2, 4])}
    assert ChannelOrder(scores, levels, {"a": 4, "b": 4}, "global").steps.tolist() == [1, 0]


def test_rounding_does_not_turn_steps_of_a_group_around():
    scores = {"a": np.full(10, 0.1), "b": np.full(10, 0.1)}
    levels = {"a": np.array([1, 8, 10]), "b": np.array([1, 8, 10])}
    order = ChannelOrder(scores, levels, {"a": 10, "b": 10}, "global")
    assert kept(order, 1) == {"a": list(range(8)), "b": [0]}


def test_each_kind_grows_at_the_same_rate_and_ranks_its_own_channels():
    scores = {name: np.arange(4.0, 0, -1) * n for name, n in (("a", 1), ("b", 10), ("c", 100))}
    levels = dict.fromkeys(scores, np.arange(1, 5))
    before = dict.fromkeys(scores, 4)
    kinds = {"a": "conv", "b": "conv", "c": "dense"}
    order = ChannelOrder(scores, levels, before, "isomorphic", kinds.__getitem__)
    found = kept(order, 4)  # c brings back a quarter of its kind, a and b an eighth of theirs
    assert {name: len(channels) for name, channels in found.items()} == {"a": 1, "b": 4, "c": 2}
