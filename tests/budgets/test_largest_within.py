"""As many steps as a budget admits."""

import numpy as np

from keras_prune.budgets.channel_order import ChannelOrder, largest_within

PRICES = {"dear": 40, "cheap": 1}
SCORES = {"dear": np.array([9.0, 8, 7, 6]), "cheap": np.arange(4.0, -6, -1)}
ORDER = ChannelOrder(
    SCORES,
    {"dear": np.arange(1, 5), "cheap": np.arange(1, 11)},
    {"dear": 4, "cheap": 10},
    "global",
)


def cost(masks) -> int:
    return sum(PRICES[name] * int(mask.sum()) for name, mask in masks.items())


def test_the_best_steps_that_fit_are_taken():
    assert largest_within(ORDER, cost, 81).tolist() == [1, 0]
    assert largest_within(ORDER, cost, 161).tolist() == [3, 0]


def test_what_a_dear_step_leaves_over_goes_to_cheaper_ones():
    assert largest_within(ORDER, cost, 89).tolist() == [1, 7]  # 88 is near enough
    assert largest_within(ORDER, cost, 95).tolist() == [1, 9]


def test_if_groups_shall_keep_in_step_each_rises_once_more():
    assert largest_within(ORDER, cost, 89, spread=False).tolist() == [1, 1]


def test_where_nothing_fits_it_stays_at_the_bottom():
    assert largest_within(ORDER, cost, 40).tolist() == [0, 0]


def test_few_points_of_the_ladder_are_looked_at():
    looked = []
    order = ChannelOrder(
        {"a": np.linspace(1, 0, 10_000)}, {"a": np.arange(1, 10_001)}, {"a": 10_000}, "global"
    )
    levels = largest_within(order, lambda masks: looked.append(1) or int(masks["a"].sum()), 5000)
    assert levels.tolist() == [4999]
    assert len(looked) < 20
