"""The classes of this package that a saved Keras file may hold, and where they live."""

import re
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


_NAMED = re.compile(r'"module": "(keras_prune(?:\.\w+)+)"')


def register(config: str) -> None:
    """Registers with Keras the classes of this package that a model's description names.

    Keras itself knows only what was imported.

    Args:
        config: the description as JSON; its modules are today's or former ones, others are left
            alone.
    """
    for module in set(_NAMED.findall(config)) & set(_CURRENT):
        import_module(_CURRENT[module])
