"""Layers with weights of their own that no rule knows: labels go through what they compute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Unsupported
from keras_prune.graph.calling import is_foreign
from keras_prune.graph.calls import Call
from keras_prune.graph.inside import trace_inside
from keras_prune.graph.rules import rule_for
from keras_prune.graph.rules.common import as_output
from keras_prune.graph.sizes import Sizes
from keras_prune.graph.unions import STAYS

if TYPE_CHECKING:
    from keras_prune.graph.labels import LabelWalk


def is_open(operation: keras.Operation) -> bool:
    """Whether labels may go through what a layer computes: a user's, with weights of its own."""
    return is_foreign(operation) and bool(getattr(operation, "weights", ()))


def label_inside(call: Call, walk: LabelWalk) -> list[np.ndarray]:
    """The labels of a layer's outputs, found by walking the calls that it makes inside.

    Channels may leave where the layer that its config makes for fewer of them computes the same.

    Raises:
        Unsupported: its calls are not all that it does.
    """
    stays: list[str] = []
    try:
        labels = _labelled(call, walk, stays)
    except Unsupported as why:
        raise Unsupported(_reason(call, walk, str(why))) from why
    if stays:  # one barrier for each layer; the pins say all reasons
        walk.pin(np.zeros(1, int), Pin(call.name, _reason(call, walk, stays[0]), barrier=True))
    return labels


def _reason(call: Call, walk: LabelWalk, why: str) -> str:
    """Why something stays, behind why no rule holds."""
    try:
        rule_for(call.operation).label(call, walk)
    except Unsupported as unknown:
        return f"{unknown}; {why}"
    return why


def _labelled(call: Call, walk: LabelWalk, stays: list[str]) -> list[np.ndarray]:
    inside = trace_inside(call)
    first = walk.unions.count
    for outer, tensor in zip(call.inputs, inside.inputs, strict=True):
        if outer is not tensor:
            walk.tensors[id(tensor)] = as_output(walk.of(outer), tensor)
    for tensor, _ in inside.constants.values():
        walk.tensors[id(tensor)] = walk.fixed(tensor)
    walk.weights |= {key: (call.operation, weight) for key, (_, weight) in inside.weights.items()}
    for inner in inside.calls:
        _visit(call, inner, walk, stays)
    sizes = Sizes(call, inside, walk, stays)
    sizes.follow()
    roots = walk.settled(walk.of(tensor) for inner in inside.calls for tensor in inner.outputs)
    given = _roots(roots, [walk.of(tensor) for tensor in inside.inputs])
    sizes.settle(given, "for fewer channels")
    for family in sizes.families(np.arange(first, walk.unions.count), given):
        sizes.settle(family, "its config says how many there are;")
    pairs = zip(inside.outputs, call.outputs, strict=True)
    return [as_output(walk.along_one_axis(walk.of(tensor)), outer) for tensor, outer in pairs]


def _visit(call: Call, inner: Call, walk: LabelWalk, stays: list[str]) -> None:
    """Walks one call inside a layer; what no rule can vouch for stays."""
    walk.hold(inner.operation, call.operation, inner.operation.name)
    if inner.inputs and arrays.are_batchless(inner.inputs):
        for tensor in inner.outputs:
            arrays.mark_batchless(tensor)
    mark = walk.mark()
    try:
        with walk.without_norms():
            labels = rule_for(inner.operation).label(inner, walk)
    except Unsupported as why:
        stays.append(f"inside it, {inner.name}: {why}")
        walk.pin(walk.touched(inner, mark), Pin(call.name, stays[-1]))
        labels = [walk.fixed(tensor) for tensor in inner.outputs]
    walk.keep(inner, labels)


def _roots(roots: np.ndarray, labels: Iterable[np.ndarray]) -> np.ndarray:
    """The roots that occur in some arrays of labels, but for that of what stays."""
    found = np.unique(np.concatenate([[STAYS], *(roots[arrays.core(x)].ravel() for x in labels)]))
    return found[found != STAYS]
