"""What the commands of recipes share: from the options to what the method's room returns."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_prune.config import load, override

from .running import carry_out
from .settings import changes, settings
from .starting import room

if TYPE_CHECKING:
    from keras_prune.reporting import RunDirectory


def run_recipe(
    name: str,
    home: str,
    recipe_class: str,
    keys: Mapping[str, str],
    options: Mapping[str, Any],
    *,
    config: Path | None,
    **arguments: Any,
) -> tuple[Any, "RunDirectory"]:
    """Carries out a configuration that the package ships, the user's file and the options over it.

    Args:
        name: of the command and the configuration.
        home: the method's room, for example `"methods.filter_agent"`.
        recipe_class: the class there that holds the whole configuration.
        keys: option, as click names its value -> the configuration key it sets.
        options: option -> value.
        config: the user's file.
        arguments: what else `carry_out` and the room's `run_recipe` take.

    Returns:
        The report, and the run directory.
    """
    data = settings(name, config, options["dataset"])
    method = room(home)
    recipe = override(load(getattr(method, recipe_class), data), changes(keys, options))
    return carry_out(name, method.run_recipe, recipe, **arguments)
