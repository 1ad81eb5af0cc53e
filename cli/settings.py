"""The configuration of a run: what the package ships, the user's file, and the options."""

import os
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.errors import ConfigError
from keras_prune.methods.config import load_run
from keras_prune.methods.former import translated
from keras_prune.training.config import TrainRecipe
from keras_prune.utils.config import load, merge, merge_keys, read_toml
from keras_prune.utils.own_modules import names_function

from .method_options import BUDGETS
from .output import logger
from .paths import located, project_of

if TYPE_CHECKING:
    from keras_prune.methods.config import RunConfig

TRAIN = "train"
"""What a configuration of a training alone calls its method."""


def shipped(name: str) -> dict[str, Any]:
    """A configuration that comes with the package; empty where there is none of that name."""
    with as_file(files("keras_prune.configs") / f"{name}.toml") as path:
        return read_toml(path) if os.path.exists(path) else {}  # also where it is too long


def read_file(path: Path, method: str | None = None) -> dict[str, Any]:
    """A user's file in today's words, a warning for each that was not, and with whole paths.

    Args:
        path: the file.
        method: what it is read for, where it need not say so itself.
    """
    data = read_toml(path)
    data, told = translated(data if method is None else {"method": method, **data})
    for sentence in told:
        logger.warning("%s: %s", path, sentence)
    return located(data, project_of(path))


def overlay(path: Path | None, method: str, *, alone: bool = True) -> dict[str, Any]:
    """What a user's file lays over a shipped configuration, with the method it is for.

    Args:
        path: the file; None: nothing but the method.
        method: what it is for if it does not say so itself.
        alone: whether it may be for no other.

    Raises:
        UsageError: it is for another method.
    """
    user = read_file(path, method) if path else {"method": method}
    if alone and user["method"] != method:
        raise click.UsageError(
            f"Expected a configuration of the method {method}. Received: {path} of "
            f"{user['method']}. Carry it out with: keras-prune run {path}"
        )
    return user


def adapted(recipe: str, user: Mapping[str, Any], dataset: str | None) -> dict[str, Any]:
    """A shipped configuration, what it changes for the data set, and the user's over both.

    Args:
        recipe: the name of the configuration.
        user: the user's configuration.
        dataset: the data set an option names; it goes before that of the file.
    """
    base = shipped(recipe)
    common = merge(base, user).get("common", {})
    # Were [common] no table, the error would come where the whole is checked.
    chosen = dataset or (common.get("dataset") if isinstance(common, Mapping) else None)
    return merge(merge(base, shipped(f"{recipe}-{chosen}")), user)


def with_options(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with single keys changed; a budget among them is the only one.

    Raises:
        ConfigError: one of them belongs into what is no table of keys.
    """
    for section in {key.partition(".")[0] for key in changes}:
        if not isinstance(data.get(section, {}), Mapping):
            raise ConfigError(f"{section} expects a table of keys. Received: {data[section]!r}.")
    budgets = {f"prune.{name}" for name in BUDGETS}
    prune = data.get("prune")
    if isinstance(prune, Mapping) and not budgets.isdisjoint(changes):
        kept = {key: value for key, value in prune.items() if key not in BUDGETS}
        data = {**data, "prune": kept}
    return merge_keys(data, changes)


def loaded(data: Mapping[str, Any], *, code: bool = False) -> "RunConfig | TrainRecipe":
    """The configuration as an object, which checks itself.

    Args:
        data: the sections; without a key `method`, `common` and `train` alone are a training.
        code: whether the data set may be a function, which is called: a file alone may not say so.

    Raises:
        ConfigError: it cannot be one, or a file names a function.
    """
    found = _checked(data)
    dataset = found.common.dataset
    if names_function(dataset) and not code:
        raise ConfigError(
            f"common.dataset in the file is {dataset!r}, a function that would be called. If you "
            "trust the file and that function, give --allow-code."
        )
    return found


def _checked(data: Mapping[str, Any]) -> "RunConfig | TrainRecipe":
    sections = {name: value for name, value in data.items() if name != "method"}
    alone = "method" not in data and set(data) == {"common", "train"}
    if alone or data.get("method") == TRAIN:
        return load(TrainRecipe, sections)
    return load_run(data)
