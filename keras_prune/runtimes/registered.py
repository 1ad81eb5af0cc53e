"""The classes of this package that a saved Keras file may hold, and where they live."""

from collections.abc import Iterable
from importlib import import_module

# Class -> its module, and the modules it lived in when older files were saved. A file names a class
# by its module; a class may move only when its former module is added here.
_HOMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "MaskedNorm": ("keras_prune.surgery.masked_norm", ("keras_prune.masked_norm",)),
    "DecisionNetwork": ("keras_prune.methods.rnp.network", ()),
    "RuntimePrunedModel": ("keras_prune.methods.rnp.inference.model", ()),
    "RuntimeForm": ("keras_prune.methods.rnp.inference.forms", ()),
}

_CURRENT = {module: home for home, former in _HOMES.values() for module in (home, *former)}


def register(modules: Iterable[str]) -> None:
    """Registers with Keras the classes of modules that a file names; others are left alone.

    Args:
        modules: as the file has them, today's or former ones.
    """
    for module in modules:
        if module in _CURRENT:
            import_module(_CURRENT[module])
