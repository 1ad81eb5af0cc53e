"""The directory of one run: made once, never overwritten, every file whole or absent."""

import contextlib
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_prune.errors import ConfigError
from keras_prune.writing import whole_file

if TYPE_CHECKING:
    import keras
    import pandas as pd


class RunDirectory:
    """Where a run writes its files. Made with `create`.

    Args:
        path: the directory; it exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: str | Path) -> "RunDirectory":
        """Makes the directory, or takes an empty one.

        Args:
            path: the directory. Missing parents are made too.

        Raises:
            ConfigError: it holds files already, is a file, or cannot be written.
        """
        path = Path(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise ConfigError(
                    f"The run directory {path} is not empty. A run is never overwritten: "
                    "give another --out or remove the directory."
                )
            with tempfile.TemporaryFile(dir=path):
                return cls(path)
        except OSError as error:
            raise ConfigError(
                f"Cannot write the run directory {path}: {error.strerror}. Give another --out."
            ) from error

    @classmethod
    def existing(cls, path: str | Path) -> "RunDirectory":
        """The directory of a run that was killed and is to go on.

        Args:
            path: the directory.

        Raises:
            ConfigError: it is no run's.
        """
        if not (Path(path) / "config.toml").is_file():
            raise ConfigError(
                f"Expected the directory of a run with its config.toml. Received: {path}. "
                "Start the run anew with another --out."
            )
        return cls(Path(path))

    @staticmethod
    def default_path(recipe: str) -> Path:
        """`runs/<recipe>-<UTC time>`, for example `runs/vgg16-20260102-030405`.

        Args:
            recipe: the recipe's name.
        """
        return Path("runs") / f"{recipe}-{datetime.now(UTC):%Y%m%d-%H%M%S}"

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write_text(self, name: str, text: str) -> Path:
        """Writes a text file and returns its path."""
        return self._write(name, lambda draft: draft.write_text(text, encoding="utf-8"))

    def write_json(self, name: str, data: Any) -> Path:
        """Writes plain data as indented JSON and returns the file's path."""
        return self.write_text(name, json.dumps(data, indent=2) + "\n")

    def write_frame(self, name: str, frame: "pd.DataFrame") -> Path:
        """Writes a table as CSV without its index and returns the file's path."""
        return self._write(name, lambda draft: frame.to_csv(draft, index=False))

    def save_model(self, name: str, model: "keras.Model") -> Path:
        """Saves a Keras model, for example as `pruned.keras`, and returns the file's path."""
        return self._write(name, model.save)

    def remove_if_empty(self) -> bool:
        """Removes the directory if nothing was written to it; says whether it did."""
        with contextlib.suppress(OSError):  # raised when it is not empty
            self.path.rmdir()
        return not self.path.exists()

    def _write(self, name: str, write: Callable[[Path], Any]) -> Path:
        with whole_file(self.path / name) as draft:
            write(draft)
        return self.path / name
