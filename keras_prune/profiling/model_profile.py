"""What each layer of a model costs."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune.graph import Call, Unsupported, trace
from keras_prune.graph.nested import LocatedCall, opened
from keras_prune.profiling import conventions
from keras_prune.profiling.text import as_text
from keras_prune.utils.arguments import expect_kind


@dataclass(frozen=True)
class Cost:
    """The costs of a model for one example; what no rule can count is left out.

    Args:
        parameters: number of weights.
        macs: multiply-accumulates.
        flops: floating-point operations.
        bytes: size of the weights.
    """

    parameters: int
    macs: int
    flops: int
    bytes: int


COSTS = tuple(field.name for field in fields(Cost))


@dataclass(frozen=True)
class LayerProfile:
    """One layer or operation.

    Args:
        name: its name; with the names of the models around it where two would share one.
        kind: its class.
        output_shape: shape of the first output of its last call, without the batch axis.
        parameters: number of weights, those it shares with an earlier layer left out.
        macs: multiply-accumulates of all its calls; None if no rule can count them.
        flops: floating-point operations of all its calls; None likewise.
        bytes: size of the weights, in the type they are stored in.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int | None
    flops: int | None
    bytes: int


@dataclass(frozen=True)
class Profile:
    """What a model costs, layer by layer.

    Args:
        model: the model's name.
        convention: the convention its work was counted by.
        layers: one row per layer, in the order in which they are first called.
        uncounted: layers whose MACs and FLOPs are unknown, with the reason. They are missing from
            the totals, which then are lower bounds.
    """

    model: str
    convention: str
    layers: tuple[LayerProfile, ...]
    uncounted: Mapping[str, str]

    @cached_property
    def total(self) -> Cost:
        """The sums over all layers."""
        return Cost(**{cost: sum(getattr(row, cost) or 0 for row in self.layers) for cost in COSTS})

    def to_frame(self) -> pd.DataFrame:
        """One row per layer, indexed by its name.

        Returns:
            Columns `kind`, `output_shape`, `parameters`, `macs`, `flops` and `bytes`. A missing
            number (`pd.NA`) is one that no rule can count.
        """
        columns = [field.name for field in fields(LayerProfile)]
        frame = pd.DataFrame([asdict(row) for row in self.layers], columns=columns)
        types = {"name": str, "kind": str} | dict.fromkeys(COSTS, "Int64")
        return frame.astype(types).set_index("name")

    def to_dict(self) -> dict[str, Any]:
        """The profile and its total as plain data that `json.dumps` takes."""
        return asdict(self) | {"total": asdict(self.total)}

    def __str__(self) -> str:
        """The rows and their total as a table for a terminal; a lower bound says so."""
        total = {cost: self.told(cost, count) for cost, count in asdict(self.total).items()}
        return as_text(self.to_frame(), total)

    def told(self, cost: str, count: int) -> int | str:
        """A total as one says it: `at least` so much where a layer could not be counted."""
        open_end = self.uncounted and cost in ("macs", "flops")
        return f"at least {count:,}" if open_end else count


def profile(model: keras.Model, convention: str = "standard") -> Profile:
    """Counts parameters, MACs, FLOPs and bytes of a model, layer by layer.

    Work is that of one example. By the convention

    - `standard`, a layer's MACs are `kernel size · positions` and its FLOPs `2 MACs + bias
      additions`, one addition per output element; all else counts 0;
    - `lenet`, zero weights cost nothing, while ReLU and average pooling cost some FLOPs;
    - `rnp`, only convolutions count, without their biases.

    Nested models are opened. A layer that is called twice works twice (the others say where they
    differ) and has its parameters once. Parameters include BatchNorm's statistics, as Keras counts
    them.

    Args:
        model: a Functional or built Sequential model; it is not changed.
        convention: `"standard"` (default), `"lenet"` or `"rnp"`.

    Returns:
        The profile. What no rule can count is listed in its `uncounted`.

    Raises:
        ModelError: the model is of another kind, was not built, or holds a tensor of unknown
            length.
        ConfigError: no convention has that name.

    Example:

    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="conv")])
    >>> profile(model).total
    Cost(parameters=112, macs=3888, flops=7920, bytes=448)
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    count = conventions.get(convention)
    layers, uncounted, seen = [], {}, set[int]()
    for name, calls in _by_layer(opened(trace(model))):
        work: tuple[int | None, int | None]
        try:
            work = count(calls)
        except Unsupported as reason:
            work, uncounted[name] = (None, None), str(reason)
        layers.append(_row(name, calls, work, seen))
    return Profile(model.name, convention, tuple(layers), uncounted)


def _row(
    name: str, calls: Sequence[Call], work: tuple[int | None, int | None], seen: set[int]
) -> LayerProfile:
    """One layer's row; `seen` holds the weights that were counted already, by `id`."""
    operation, outputs = calls[-1].operation, calls[-1].outputs
    weights = [weight for weight in getattr(operation, "weights", ()) if id(weight) not in seen]
    seen.update(map(id, weights))
    sizes = [math.prod(weight.shape) for weight in weights]
    return LayerProfile(
        name=name,
        kind=type(operation).__name__,
        output_shape=tuple(outputs[0].shape[1:]),
        parameters=sum(sizes),
        macs=work[0],
        flops=work[1],
        bytes=sum(size * _item_size(w.dtype) for size, w in zip(sizes, weights, strict=True)),
    )


def _item_size(dtype: str) -> int:
    """Bytes of one number; Keras makes its bfloat16 and float8 known to NumPy."""
    return np.dtype(dtype).itemsize


def _by_layer(located: Iterable[LocatedCall]) -> list[tuple[str, list[Call]]]:
    """The calls of each layer under a name that no other layer has."""
    paths: dict[int, str] = {}
    calls: dict[int, list[Call]] = {}
    for path, call, _ in located:
        paths.setdefault(id(call.operation), path)
        calls.setdefault(id(call.operation), []).append(call)
    return list(zip(_names(list(paths.values())), calls.values(), strict=True))


def _names(paths: Sequence[str]) -> list[str]:
    """The last part of each path where it is unique, else the path, numbered if need be."""
    short = [path.rsplit("/", 1)[-1] for path in paths]
    shared, seen, names = Counter(short), Counter[str](), []
    for name, path in zip(short, paths, strict=True):
        name = name if shared[name] == 1 else path
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}:{seen[name]}")
    return names
