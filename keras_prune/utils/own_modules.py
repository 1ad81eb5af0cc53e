"""Modules of the user's: of layers that a file names, of data. Importing them runs their code."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from keras_prune.errors import ConfigError

VARIABLE = "KERAS_PRUNE_IMPORT"
"""Environment variable with their names, which further processes inherit."""

_FUNCTION = re.compile(r"([\w.]+):([^\W\d]\w*)")


def names_function(text: str) -> bool:
    """Whether a text, such as the name of a data set, is `module:function`.

    Example:

    >>> names_function("mine:splits"), names_function("cifar10:3.0.2")
    (True, False)
    """
    return _FUNCTION.fullmatch(text) is not None


def import_modules(names: Iterable[str]) -> None:
    """Imports modules, here and in the processes that this one starts.

    Args:
        names: dotted names, found from the working directory on, or paths of `.py` files.

    Raises:
        ConfigError: one cannot be imported.
    """
    names = list(names)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    for name in names:
        try:
            _import(name)
        except (Exception, SystemExit) as error:  # whatever a module of the user's raises
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ConfigError(
                f"--import: {name} cannot be imported: {reason}. Give the name of a module, or the "
                "path of a .py file."
            ) from error
    os.environ[VARIABLE] = os.pathsep.join(names)


def import_inherited() -> None:
    """Imports what the process that started this one has imported."""
    import_modules(filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)))


def _import(name: str) -> None:
    path = Path(name)
    if path.suffix != ".py":
        importlib.import_module(name)
        return
    if path.stem in sys.modules:
        return
    if not path.is_file():
        raise FileNotFoundError(name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
