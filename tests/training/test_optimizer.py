"""Schedules and weight decay."""

import numpy as np
import pytest

from keras_prune.training import TrainingConfig
from keras_prune.training.optimizer import optimizer, schedule


def rates(name, total):
    made = schedule(TrainingConfig(1, 0.4, schedule=name), total)
    return [float(made(step)) for step in range(total + 1)]


def test_one_cycle_climbs_to_the_peak_and_ends_near_zero():
    cycle = rates("one_cycle", 100)
    assert cycle[0] == pytest.approx(0.4 / 25)
    assert np.argmax(cycle) == 30
    assert cycle[30] == pytest.approx(0.4)
    assert cycle[15] == pytest.approx((cycle[0] + cycle[30]) / 2)
    assert (np.diff(cycle[30:]) < 0).all()
    assert cycle[100] == pytest.approx(0.4e-3)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_one_cycle_of_a_few_steps_stays_within_its_peak(total):
    cycle = rates("one_cycle", total)
    assert max(cycle) == pytest.approx(0.4)
    assert cycle[-1] == pytest.approx(0.4e-3)


def test_cosine_falls_from_the_peak_to_zero():
    cosine = rates("cosine", 10)
    assert cosine[0] == pytest.approx(0.4)
    assert cosine[5] == pytest.approx(0.2)
    assert cosine[10] == pytest.approx(0, abs=1e-7)


def test_constant_is_a_number():
    assert schedule(TrainingConfig(1, 0.4, schedule="constant"), 10) == 0.4


def test_weight_decay_shrinks_kernels_and_nothing_else(model):
    for variable in model.trainable_variables:
        variable.assign(np.ones(variable.shape, "float32"))
    config = TrainingConfig(1, 0.5, schedule="constant", weight_decay=0.1)
    sgd = optimizer(config, 1, model)
    sgd.apply(
        [np.zeros(v.shape, "float32") for v in model.trainable_variables], model.trainable_variables
    )
    for variable in model.trainable_variables:
        expected = 1 - 0.5 * 0.1 if variable.name == "kernel" else 1.0
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6)
    assert {v.name for v in model.trainable_variables} == {"kernel", "bias", "gamma", "beta"}
