"""The one check every pruned network passes, and what it needs."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, trace
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.surgery.silencing import silence


def randomise(model: keras.Model, seed: int = 0) -> keras.Model:
    """Gives every weight a random value: biases, offsets and statistics far from 0 and 1."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if not keras.backend.is_float_dtype(variable.dtype):
            continue
        shape = tuple(variable.shape)
        if "variance" in variable.name or "gamma" in variable.name:
            value = random.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = random.normal(0, 1.5 / np.sqrt(np.prod(shape[:-1])), shape)
        else:
            value = random.normal(0, 0.5, shape)
        variable.assign(value.astype(variable.dtype))
    return model


def example(model: keras.Model, seed: int = 1, batch: int = 3) -> Any:
    """A batch in the structure of the model's inputs; an unknown length becomes 6."""
    random = np.random.default_rng(seed)

    def values(tensor: keras.KerasTensor) -> np.ndarray:
        shape = [batch, *(6 if length is None else length for length in tensor.shape[1:])]
        if keras.backend.is_float_dtype(tensor.dtype):
            return random.normal(size=shape).astype("float32")
        return random.integers(0, 5, shape).astype("int32")

    return keras.tree.map_structure(values, trace(model).inputs)


def outputs(model: keras.Model, x: Any) -> list[np.ndarray]:
    """What a model computes in inference, flat."""
    results = model(x, training=False)
    return [keras.ops.convert_to_numpy(result) for result in keras.tree.flatten(results)]


def half_plan(graph: ChannelGraph, seed: int = 2) -> PruningPlan:
    """Drops about half of every group with more than one channel, at random."""
    random = np.random.default_rng(seed)
    kept = {
        name: np.sort(random.choice(group.channels, group.channels // 2, replace=False))
        for name, group in graph.groups.items()
        if group.channels > 1
    }
    return PruningPlan.for_graph(graph, kept)


def shapes_after(graph: ChannelGraph, plan: PruningPlan) -> list[tuple[int, ...]]:
    """The shape every weight must have, counted from the groups' members alone."""
    gone: dict[tuple[int, int], int] = {}
    for name, kept in plan.kept.items():
        dropped = set(range(graph.groups[name].channels)) - set(kept)
        for member in graph.groups[name].members:
            key = (id(member.binding.variable), member.binding.axis)
            gone[key] = gone.get(key, 0) + int(np.isin(member.owner, list(dropped)).sum())
    left = weights_left(graph, plan)
    return [
        tuple(size - gone.get((id(weight), axis), 0) for axis, size in enumerate(weight.shape))
        for weight in graph.model.weights
        if id(weight) in left
    ]


def weights_left(graph: ChannelGraph, plan: PruningPlan) -> set[int]:
    """The weights of what the outputs need without the plan's residual blocks, by `id`."""
    shortcuts = {id(graph.blocks[name].join): graph.blocks[name].source for name in plan.blocks}
    pending, left = [graph.trace], set()
    while pending:
        traced = pending.pop()
        needed = set(map(id, traced.flat_outputs))
        for call in reversed(traced.calls):
            if needed.isdisjoint(map(id, call.outputs)):
                continue
            source = shortcuts.get(id(call))
            needed.update(map(id, call.inputs if source is None else (source,)))
            if source is None and id(call.operation) in graph.traces:
                pending.append(graph.traces[id(call.operation)])
            elif source is None:
                left |= {id(weight) for weight in getattr(call.operation, "weights", ())}
    return left


def silenced_by_hand(graph: ChannelGraph, plan: PruningPlan, x: Any) -> list[np.ndarray]:
    """What the original model itself computes while its consumers' slices are zero."""
    model = graph.model
    saved = model.get_weights()
    for name, kept in plan.kept.items():
        for member in graph.groups[name].silencers:
            dropped = (member.owner >= 0) & ~np.isin(member.owner, kept)
            value = keras.ops.convert_to_numpy(member.binding.variable).copy()
            np.moveaxis(value, member.binding.axis, 0)[dropped] = 0
            member.binding.variable.assign(value)
    for name in plan.blocks:
        for member in graph.blocks[name].silencers:
            member.binding.variable.assign(np.zeros(member.binding.variable.shape))
    result = outputs(model, x)
    model.set_weights(saved)
    return result


def assert_same(actual: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(b).max()))


def differ(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return any(np.abs(x - y).max() > 1e-3 * np.abs(y).max() for x, y in zip(a, b, strict=True))


def assert_invariant(
    model: keras.Model, plan: PruningPlan, file: Path | None = None, bites: bool = True
) -> keras.Model:
    """Checks all that pruning promises, and returns the pruned model.

    Pruned, silenced and the original with zeros put in by hand agree; the silenced model is another
    function than the original one; the weights have the shapes the groups say; the original is
    untouched; the file loads as it is.
    """
    x = example(model)
    before, weights, config = outputs(model, x), model.get_weights(), model.get_config()
    graph = ChannelGraph(model, plan.admit_norms)

    pruned, silenced = prune(model, plan), silence(model, plan)

    after = outputs(pruned, x)
    assert_same(after, outputs(silenced, x))
    if not graph.statistics:  # zeros in the weights do not change what a norm counts
        assert_same(after, silenced_by_hand(graph, plan, x))
    assert not bites or differ(outputs(silenced, x), before), "the mask changed nothing"
    assert sorted(tuple(w.shape) for w in pruned.weights) == sorted(shapes_after(graph, plan))
    assert sorted(w.shape for w in silenced.get_weights()) == sorted(w.shape for w in weights)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.get_config() == config
    assert_same(outputs(model, x), before)
    assert pruned.name == model.name
    if file:
        pruned.save(file)
        assert_same(outputs(keras.models.load_model(file, safe_mode=False), x), after)
    return pruned
