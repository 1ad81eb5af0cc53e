"""A recipe's configuration: what the package ships, the user's file, and the options."""

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from keras_prune.config import merge, read_toml


def settings(recipe: str, config: Path | None, dataset: str | None) -> dict[str, Any]:
    """A shipped configuration, what it changes for the data set, and the user's file over both.

    Args:
        recipe: the name of the configuration.
        config: the user's file.
        dataset: the data set an option names; it goes before that of the file.
    """
    user = read_toml(config) if config else {}
    shipped = _shipped(recipe)
    common = merge(shipped, user)["common"]
    # Were [common] no table, the error would come where the whole is checked.
    chosen = dataset or (common.get("dataset") if isinstance(common, Mapping) else None)
    return merge(merge(shipped, _shipped(f"{recipe}-{chosen}")), user)


def changes(keys: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Configuration key -> value, of those options that were given.

    Args:
        keys: option, as click names its value -> the key it sets.
        options: option -> value; None, or nothing of several, where it was left out.
    """
    return {keys[name]: value for name, value in options.items() if value not in (None, ())}


def _shipped(name: str) -> dict[str, Any]:
    """A configuration that comes with the package; empty where there is none of that name."""
    with as_file(files("keras_prune.configs") / f"{name}.toml") as path:
        return read_toml(path) if path.exists() else {}
