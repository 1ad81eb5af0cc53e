"""All that a killed run needs to go on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_prune.errors import ConfigError, KerasPruneError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph
from keras_prune.training.checkpoint import Row, storable
from keras_prune.utils.archives import read_arrays
from keras_prune.utils.files import read_json
from keras_prune.utils.generations import Generations
from keras_prune.utils.reasons import reason

SCHEMA = 1
"""Of the files; a state of another one is not taken."""

_STATE, _ARRAYS = "state.json", "arrays.npz"


@dataclass(frozen=True)
class Pruned:
    """A network and the plan that leads to it from the original.

    Args:
        model: the network.
        plan: the plan.
        value: its objective on the validation data.
    """

    model: keras.Model
    plan: PruningPlan
    value: float


@dataclass(frozen=True)
class RunState:
    """Where a run stands between two steps of its method.

    Args:
        now: the network so far.
        baseline: the objective of the original network on the validation data.
        step: steps that are done.
        done: whether no step is to follow.
        history: rows of figures, as they are written to `history.csv`.
        notes: what the reader of a report should know, in sentences.
        untouched: group -> why nothing was pruned there.
        extra: what else the method must keep: plain data, as JSON takes it.
        arrays: likewise: lists of arrays by name, such as an agent's weights.
        networks: likewise: further networks by name.
        trainings: trainings that were run; each draws its batches by its number.
        stages: name of a training -> how many had it.
        epochs: rows of all trainings, as they are written to `training.csv`.
        seconds: how long all processes have worked on the run.
        resumed: how often it went on after it was killed.
    """

    now: Pruned
    baseline: float = float("nan")
    step: int = 0
    done: bool = False
    history: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    untouched: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, list[np.ndarray]] = field(default_factory=dict)
    networks: Mapping[str, Pruned] = field(default_factory=dict)
    trainings: int = 0
    stages: Mapping[str, int] = field(default_factory=dict)
    epochs: tuple[Row, ...] = ()
    seconds: float = 0.0
    resumed: int = 0

    @property
    def model(self) -> keras.Model:
        """The network so far."""
        return self.now.model

    @property
    def plan(self) -> PruningPlan:
        """The plan that leads to it from the original."""
        return self.now.plan

    @property
    def value(self) -> float:
        """Its objective on the validation data."""
        return self.now.value

    def noted(self, *notes: str) -> RunState:
        """This state with more notes."""
        return replace(self, notes=(*self.notes, *notes))


class Saved:
    """The states of one run on disk.

    A network is kept as its plan and its variables, and made anew from the original: so classes of
    the user's need not be loaded from a file.

    Args:
        folder: where.
        identity: what must be the same for a run to go on: name -> text.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str]) -> None:
        self._generations = Generations(folder)
        self._identity = dict(identity)

    def save(self, state: RunState, original: keras.Model) -> None:
        """Writes a state, whole or not at all; the one before it is kept, too."""
        networks = {"now": state.now, **state.networks}
        plain = {
            name: value
            for name, value in vars(state).items()
            if name not in ("now", "arrays", "networks")
        }
        content = {
            "schema": SCHEMA,
            "identity": self._identity,
            "state": plain,
            "networks": {
                name: {
                    "plan": found.plan.to_dict(),
                    "value": found.value,
                    "original": found.model is original,
                }
                for name, found in networks.items()
            },
        }
        arrays = {
            f"{name}/{number}": array
            for name, values in state.arrays.items()
            for number, array in enumerate(values)
        }
        for name, found in networks.items():
            if found.model is not original:
                arrays |= {f"network {name}/{k}": v for k, v in _variables(found.model).items()}

        def write(place: Path) -> None:
            (place / _STATE).write_text(json.dumps(content, default=_plain), encoding="utf-8")
            with (place / _ARRAYS).open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # no argument of its own

        self._generations.save(write)

    def load(self, original: keras.Model) -> RunState | None:
        """The newest whole state; None where there is none.

        Args:
            original: the network that was pruned.

        Raises:
            ConfigError: the run was made with something else, or the state is none; the message
                says what differs.
        """
        for place in self._generations.newest_first():
            state = self._read(place, original)
            if self._generations.damaged:
                state = state.noted(
                    "The newest saved state was damaged: the run went on from the one before."
                )
            return state
        if self._generations.damaged:
            raise ConfigError(
                f"All saved states in {self._generations.folder} are damaged. Remove that folder "
                "to start the run anew from its baseline."
            )
        return None

    def clear(self) -> None:
        """Removes all states: the run has its report."""
        self._generations.clear()

    def _read(self, place: Path, original: keras.Model) -> RunState:
        try:
            content = read_json(place / _STATE)
            self._check(content)
            return _restored(content, read_arrays(place / _ARRAYS), original)
        except KerasPruneError:
            raise
        except Exception as error:  # whatever a foreign file leads JSON, NumPy and Keras to
            raise ConfigError(
                f"The saved state {place} is none of a run: {reason(error)}. Remove "
                f"{self._generations.folder} to start the run anew from its baseline."
            ) from error

    def _check(self, content: Mapping[str, Any]) -> None:
        if content.get("schema") != SCHEMA:
            raise ConfigError(
                f"The run's state has the form {content.get('schema')!r} of another version of "
                f"keras-prune; this one reads {SCHEMA}. Finish the run with the version it was "
                "begun with, or start it anew."
            )
        for name, now in self._identity.items():
            then = content["identity"].get(name)
            if then != now:
                raise ConfigError(
                    f"The run was begun with another {name}: {_short(then)}. Received: "
                    f"{_short(now)}. Give what it was begun with, or start a new run."
                )


def _short(text: Any, most: int = 160) -> str:
    shown = str(text)
    return shown if len(shown) <= most else f"{shown[:most]}..."


def _restored(
    content: Mapping[str, Any], arrays: Mapping[str, np.ndarray], original: keras.Model
) -> RunState:
    graph = ChannelGraph(original)
    networks = {}
    for name, kept in content["networks"].items():
        plan = PruningPlan.from_dict(kept["plan"])
        model = original
        if not kept["original"]:
            model = prune_graph(graph, plan)
            prefix = f"network {name}/"
            values = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            _assign(model, values)
        networks[name] = Pruned(model, plan, kept["value"])
    lists: dict[str, list[np.ndarray]] = {}
    for key, array in arrays.items():
        if not key.startswith("network "):
            lists.setdefault(key.rpartition("/")[0], []).append(array)
    plain = dict(content["state"])
    for name in ("history", "notes", "epochs"):
        plain[name] = tuple(plain[name])
    return RunState(networks.pop("now"), arrays=lists, networks=networks, **plain)


def _variables(model: keras.Model) -> dict[str, np.ndarray]:
    """Every variable, the random seeds of dropout included, by a name that a rebuild keeps."""
    return {name: storable(variable) for name, variable in _named_variables(model).items()}


def _assign(model: keras.Model, values: Mapping[str, np.ndarray]) -> None:
    for name, variable in _named_variables(model).items():
        variable.assign(values[name])


def _named_variables(model: keras.Model, prefix: str = "") -> dict[str, keras.Variable]:
    """Layer and number of each variable; auto-made names of seeds differ between rebuilds."""
    found: dict[str, keras.Variable] = {}
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            found |= _named_variables(layer, f"{path}/")
        else:
            found |= {f"{path}/{n}": variable for n, variable in enumerate(layer.variables)}
    known = {id(variable) for variable in found.values()}
    own = (variable for variable in model.variables if id(variable) not in known)
    return found | {f"{prefix}/{n}": variable for n, variable in enumerate(own)}


def _plain(value: Any) -> Any:
    """NumPy's numbers, which JSON does not know."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no plain data")
