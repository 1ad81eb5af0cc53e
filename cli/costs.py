"""What `profile` and `compare` share: how costs are shown and written."""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_prune.errors import ConfigError
from keras_prune.utils.files import whole_file
from keras_prune.utils.text import printable_frame

from .output import say

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.profiling import Comparison, Profile


def show(title: str, costs: "Profile | Comparison") -> None:
    """Prints the table, and what could not be counted."""
    say(title, *str(costs).splitlines())
    for layer, reason in costs.uncounted.items():
        say(f"Not counted: {layer}: {reason}")


def check_folder(path: Path | None) -> None:
    """Refuses a file in a folder that is not there, before the long work and not after it."""
    if path and not path.parent.is_dir():
        raise ConfigError(f"Cannot write {path}: {path.parent} is no directory.")


def write_csv(path: Path, frame: "pd.DataFrame") -> None:
    """Writes a table without its index, whole or not at all.

    Raises:
        ConfigError: the place cannot be written.
    """
    try:
        with whole_file(path) as draft:
            printable_frame(frame).to_csv(draft, index=False)
    except OSError as error:
        reason = error.strerror or "its folder does not exist"
        raise ConfigError(f"Cannot write the table {path}: {reason}.") from error
