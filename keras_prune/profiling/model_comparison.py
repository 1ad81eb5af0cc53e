"""Two models side by side."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import pandas as pd

from keras_prune.profiling.model_profile import COSTS, LayerProfile, Profile, profile
from keras_prune.profiling.text import as_text

_SHOWN = {"before": "before", "after": "after", "reduction_percent": "-%"}


@dataclass(frozen=True)
class Change:
    """One figure of two models.

    Args:
        before: the figure of the first, None if it is unknown.
        after: the figure of the second, None likewise.
    """

    before: int | None
    after: int | None

    @property
    def difference(self) -> int | None:
        """`after - before`; None if one is unknown."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def reduction_percent(self) -> float | None:
        """`100 (1 - after / before)`; None if one is unknown or nothing was there.

        Example:

        >>> Change(before=200, after=50).reduction_percent
        75.0
        """
        if self.before is None or self.after is None or not self.before:
            return None
        return 100 * (self.before - self.after) / self.before

    def to_dict(self) -> dict[str, Any]:
        """Both figures, their difference and the reduction as plain data."""
        figures = ("before", "after", "difference", "reduction_percent")
        return {figure: getattr(self, figure) for figure in figures}


@dataclass(frozen=True)
class Comparison:
    """Two profiles, matched by the names of their layers.

    Args:
        before: the profile of the first model.
        after: the profile of the second, by the same convention.
    """

    before: Profile
    after: Profile

    @cached_property
    def layers(self) -> dict[str, dict[str, Change]]:
        """For each layer the change of its `parameters`, `macs`, `flops` and `bytes`.

        The layers of the first model, then those that only the second has. A layer costs 0 in a
        model that lacks it.
        """
        before, after = _by_name(self.before), _by_name(self.after)
        return {
            name: {cost: _change(cost, before.get(name), after.get(name)) for cost in COSTS}
            for name in before | after
        }

    @cached_property
    def total(self) -> dict[str, Change]:
        """The change of the sums over all layers."""
        before, after = self.before.total, self.after.total
        return {cost: Change(getattr(before, cost), getattr(after, cost)) for cost in COSTS}

    def to_frame(self) -> pd.DataFrame:
        """One row per layer, indexed by its name.

        Returns:
            Two levels of columns: `kind`; `output_shape` with `before` and `after` (None in the
            model that lacks the layer); `parameters`, `macs`, `flops` and `bytes`, each with
            `before`, `after`, `difference` and `reduction_percent` (`pd.NA` where there is none).
        """
        before, after = _by_name(self.before), _by_name(self.after)
        columns: dict[tuple[str, str], Any] = {
            ("kind", ""): [(before.get(name) or after[name]).kind for name in self.layers]
        }
        for side, rows in (("before", before), ("after", after)):
            shapes = [getattr(rows.get(name), "output_shape", None) for name in self.layers]
            columns["output_shape", side] = pd.Series(shapes, dtype=object)
        for cost in COSTS:
            columns |= _change_columns(cost, [row[cost] for row in self.layers.values()])
        return pd.DataFrame(columns).set_index(pd.Index(self.layers, name="name", dtype=str))

    def to_flat_frame(self) -> pd.DataFrame:
        """As `to_frame`, for a CSV file: columns such as `macs_before`, and `name` is one."""
        frame = self.to_frame()
        frame.columns = pd.Index(["_".join(filter(None, pair)) for pair in frame.columns])
        return frame.reset_index()

    def to_dict(self) -> dict[str, Any]:
        """Names, convention, all changes, and what could not be counted, as plain data."""
        return {
            "before": self.before.model,
            "after": self.after.model,
            "convention": self.before.convention,
            "layers": {
                name: {cost: change.to_dict() for cost, change in row.items()}
                for name, row in self.layers.items()
            },
            "total": {cost: change.to_dict() for cost, change in self.total.items()},
            "uncounted": self.uncounted,
        }

    @property
    def uncounted(self) -> dict[str, str]:
        """Layers of either model whose work is unknown, with the reason."""
        return {**self.before.uncounted, **self.after.uncounted}

    def __str__(self) -> str:
        """Per cost before, after and reduction in percent, as a table for a terminal."""
        frame = self.to_frame()
        shown = [(cost, figure) for cost in COSTS for figure in _SHOWN]
        table = pd.DataFrame(
            {f"{cost} {_SHOWN[figure]}": frame[cost, figure] for cost, figure in shown}
        )
        total = {f"{cost} {_SHOWN[figure]}": self._told(cost, figure) for cost, figure in shown}
        return as_text(table, total)

    def _told(self, cost: str, figure: str) -> object:
        """A figure of the sums, with what it leaves out."""
        found = getattr(self.total[cost], figure)
        sides = {"before": self.before, "after": self.after}
        return sides[figure].told(cost, found) if figure in sides else found


def compare(before: keras.Model, after: keras.Model, convention: str = "standard") -> Comparison:
    """Sets the costs of two models side by side, layer by layer.

    Args:
        before: a Functional or built Sequential model; it is not changed.
        after: another, for example `before` after pruning; layers are matched by name.
        convention: how work is counted, see `profile`; default `"standard"`.

    Returns:
        The comparison.

    Raises:
        ModelError: a model cannot be profiled.
        ConfigError: no convention has that name.

    Warns:
        UserWarning: they are two different networks: fewer than half of the layers of the smaller
            one are in both.

    Example:

    >>> inputs = keras.Input((10,))
    >>> wide = keras.Model(inputs, keras.layers.Dense(8, name="dense")(inputs))
    >>> narrow = keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs))
    >>> compare(wide, narrow).total["macs"]
    Change(before=80, after=20)
    """
    found = Comparison(profile(before, convention), profile(after, convention))
    _warn_of_strangers(found)
    return found


def _warn_of_strangers(found: Comparison) -> None:
    before, after = _by_name(found.before), _by_name(found.after)
    both, fewest = before.keys() & after.keys(), min(len(before), len(after))
    if 2 * len(both) < fewest:
        warnings.warn(
            f"{found.before.model!r} and {found.after.model!r} are two different networks: "
            f"{len(both)} of {fewest} layer names are in both. What is compared is not a pruning.",
            stacklevel=3,
        )


def _by_name(found: Profile) -> dict[str, LayerProfile]:
    return {row.name: row for row in found.layers}


def _change(cost: str, before: LayerProfile | None, after: LayerProfile | None) -> Change:
    return Change(getattr(before, cost) if before else 0, getattr(after, cost) if after else 0)


def _change_columns(cost: str, changes: list[Change]) -> dict[tuple[str, str], pd.Series]:
    types = {"before": "Int64", "after": "Int64", "difference": "Int64"}
    types["reduction_percent"] = "Float64"
    return {
        (cost, figure): pd.Series([getattr(change, figure) for change in changes], dtype=dtype)
        for figure, dtype in types.items()
    }
