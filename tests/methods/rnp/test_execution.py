"""The masked execution: what every form of inference is compared with."""

import numpy as np
import pytest
import tensorflow as tf

from keras_prune import PruningPlan, prune, silence
from keras_prune.methods.rnp.execution import Masked

from .small import chain, decided, images, residual


def forced(actions):
    actions = np.asarray(actions, "int32")
    return lambda step, state: tf.constant(actions[:, step])


def plan_of(decisions, actions):
    kept = {s.name: range(s.bounds[a]) for s, a in zip(decisions.steps, actions, strict=True)}
    return PruningPlan.for_graph(decisions.graph, kept)


@pytest.mark.parametrize("build", [chain, residual])
def test_all_sets_are_the_network_itself(build):
    model = build()
    decisions, x = decided(model), images(side=model.input_shape[1])
    trajectory = Masked(decisions)(x, forced(np.full((5, len(decisions.steps)), 2)))
    np.testing.assert_array_equal(trajectory.outputs, model(x))


@pytest.mark.parametrize("actions", [(0, 0, 0), (2, 0, 1), (1, 2, 0)])
def test_few_sets_are_the_silenced_and_the_pruned_network(actions):
    model = chain()
    decisions, x = decided(model), images()
    outputs = Masked(decisions)(x, forced([actions] * 5)).outputs
    plan = plan_of(decisions, actions)
    np.testing.assert_allclose(outputs, silence(model, plan)(x), atol=1e-5)
    np.testing.assert_allclose(outputs, prune(model, plan)(x), atol=1e-5)


def test_every_image_has_its_own():
    model = chain()
    decisions, x = decided(model), images()
    actions = [(0, 0, 0), (2, 0, 1), (1, 2, 0), (2, 2, 2), (0, 1, 2)]
    outputs = Masked(decisions)(x, forced(actions)).outputs
    for number, own in enumerate(actions):
        twin = silence(model, plan_of(decisions, own))
        np.testing.assert_allclose(outputs[number], twin(x)[number], atol=1e-5)


def test_decisions_are_made_bottom_up_on_what_was_left():
    decisions, x = decided(), images()
    trajectory = Masked(decisions)(x, forced([(0, 1, 2)] * 5))
    assert [state.shape[1] for state in trajectory.states] == [4, 6, 8]
    assert np.all(trajectory.states[1][:, 2:] == 0)
    assert np.all(trajectory.states[1][:, :2] != 0)
    np.testing.assert_array_equal(np.stack(trajectory.actions, axis=1), [(0, 1, 2)] * 5)
