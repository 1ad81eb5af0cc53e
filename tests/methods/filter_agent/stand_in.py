"""Runs without the driver: no files, no processes, trainings that do nothing."""

import json

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, Role
from keras_prune.methods.context import Context
from keras_prune.tracking import Observers


class Measured:
    """An evaluator that remembers what it was asked for."""

    def __init__(self, evaluator):
        self._evaluator = evaluator
        self.calls = []

    def evaluate(self, masks):
        self.calls.append(np.array(masks))
        return self._evaluator.evaluate(masks)


class StandIn(Context):
    """Remembers its evaluators and trainings; `train` may do what trainings do."""

    def __init__(self, model, task, *, seed=0, baseline=None, observers=None, train=None):
        bound = task.bind(model)
        super().__init__(
            model,
            bound,
            seed=seed,
            precision="float32",
            baseline=bound.value(model) if baseline is None else baseline,
            distillation=None,
            observers=observers or Observers(),
        )
        self.evaluators, self.fitted, self._train = [], [], train

    def evaluator(self, graph, groups, limit):
        self.evaluators.append(Measured(super().evaluator(graph, groups, limit)))
        return self.evaluators[-1]

    def fit(self, model, config, stage, **options):
        self.fitted.append(stage)
        if self._train is None:
            super().fit(model, config, stage, **options)
        else:
            self._train(model)


def untrained(model):
    """A training that leaves everything as it is."""


def step_from(state, method, context):
    """One more step, as the driver takes it."""
    context.ledger.take_from(state)
    keras.utils.set_random_seed(1 + state.step)
    return context.ledger.keep_in(method.step(context, state))


def states(method, context):
    """All states of a run, the first one included."""
    found = [context.ledger.keep_in(method.start(context))]
    while not found[-1].done:
        found.append(step_from(found[-1], method, context))
    return found


def removed(plan):
    """How many channels a plan drops."""
    return sum(n - len(plan.kept[name]) for name, n in plan.channels.items())


def weights(model):
    """Copies of a model's weights."""
    return [np.array(weight) for weight in model.weights]


def assert_same_state(one, other):
    """Bit for bit, weights included."""
    for name in vars(one):
        if name not in ("now", "networks", "arrays"):
            assert json.dumps(getattr(one, name)) == json.dumps(getattr(other, name)), name
    assert set(one.arrays) == set(other.arrays)
    for name, values in one.arrays.items():
        for value, again in zip(values, other.arrays[name], strict=True):
            np.testing.assert_array_equal(value, again)
    networks = [{"now": state.now, **state.networks} for state in (one, other)]
    assert set(networks[0]) == set(networks[1])
    for name, network in networks[0].items():
        again = networks[1][name]
        assert (network.plan, network.value) == (again.plan, again.value)
        for value, same in zip(weights(network.model), weights(again.model), strict=True):
            np.testing.assert_array_equal(value, same)


def kill_half(model):
    """Nothing reads the last half of each group: to remove it costs nothing."""
    for group in ChannelGraph(model).groups.values():
        for member in group.by_role(Role.CONSUMER):
            kernel = keras.ops.convert_to_numpy(member.binding.variable).copy()
            dead = np.flatnonzero(member.owner >= (group.channels + 1) // 2)
            kernel[(slice(None),) * member.binding.axis + (dead,)] = 0
            member.binding.variable.assign(kernel)
    return model
