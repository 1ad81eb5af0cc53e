"""Packages whose names are imported when they are first used."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list]]:
    """The `__getattr__` and `__dir__` of a package whose names live in modules below it.

    So a light module of a room (its configuration) is imported without the heavy ones beside it.

    Args:
        package: the package's `__name__`.
        homes: public name -> the module that holds it, relative to the package or absolute; a
            module that is public itself stands for its own name.

    Example:

    >>> getattr_, dir_ = lazy("keras_prune.utils", {"read_toml": ".config"})
    >>> getattr_("read_toml").__name__
    'read_toml'
    """

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(homes[name], package)
        is_module = module.__name__.rpartition(".")[2] == name
        return module if is_module and not hasattr(module, name) else getattr(module, name)

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*vars(sys.modules[package]), *homes})

    return __getattr__, __dir__
