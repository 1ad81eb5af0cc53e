"""keras-prune: structured pruning for Keras 3.

The names below are loaded when they are first used, so that importing one light module (the errors,
a configuration) does not import Keras or TensorFlow.

>>> import keras_prune as kp
>>> kp.errors.ConfigError.__mro__[1].__name__
'KerasPruneError'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_prune import (
        callbacks,
        criteria,
        data,
        errors,
        graph,
        methods,
        schedules,
        training,
        zoo,
    )
    from keras_prune.benchmarking import benchmark, benchmark_layers
    from keras_prune.budgets import Budget
    from keras_prune.dead_channels import without_dead
    from keras_prune.errors import KerasPruneError
    from keras_prune.exporting import export
    from keras_prune.graph import ChannelGraph
    from keras_prune.packing import pack, unpack
    from keras_prune.plan import PruningPlan
    from keras_prune.profiling import compare, profile
    from keras_prune.silencing import silence
    from keras_prune.surgery import prune

__all__ = [
    "Budget",
    "ChannelGraph",
    "KerasPruneError",
    "PruningPlan",
    "benchmark",
    "benchmark_layers",
    "callbacks",
    "compare",
    "criteria",
    "data",
    "errors",
    "export",
    "graph",
    "methods",
    "pack",
    "profile",
    "prune",
    "schedules",
    "silence",
    "training",
    "unpack",
    "without_dead",
    "zoo",
]

# No public name may equal the name of a sub-module other than its own: importing the sub-module
# would overwrite it. Hence `exporting` for the room and `export` for the function.
_HOMES = {
    "Budget": "budgets",
    "ChannelGraph": "graph",
    "KerasPruneError": "errors",
    "PruningPlan": "plan",
    "benchmark": "benchmarking",
    "benchmark_layers": "benchmarking",
    "compare": "profiling",
    "export": "exporting",
    "pack": "packing",
    "profile": "profiling",
    "prune": "surgery",
    "silence": "silencing",
    "unpack": "packing",
    "without_dead": "dead_channels",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOMES.get(name, name)}")
    return getattr(module, name) if name in _HOMES else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
