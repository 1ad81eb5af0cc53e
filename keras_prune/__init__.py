"""keras-prune: structured pruning for Keras 3.

The names below are loaded when they are first used, so that importing one light module (the errors,
a configuration) does not import Keras or TensorFlow.

>>> import keras_prune as kp
>>> kp.errors.ConfigError.__mro__[1].__name__
'KerasPruneError'
"""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune import (
        callbacks,
        criteria,
        data,
        errors,
        graph,
        methods,
        rollouts,
        training,
        zoo,
    )
    from keras_prune.benchmarking import benchmark, benchmark_layers
    from keras_prune.budgets import Budget
    from keras_prune.errors import KerasPruneError
    from keras_prune.exporting import export
    from keras_prune.graph import ChannelGraph
    from keras_prune.methods.magnitude import schedules
    from keras_prune.packing import pack, unpack
    from keras_prune.plan import PruningPlan
    from keras_prune.profiling import compare, profile
    from keras_prune.scores import ChannelScores
    from keras_prune.surgery import prune, silence, without_dead
    from keras_prune.training import Objective, Task, recalibrate

__all__ = [
    "Budget",
    "ChannelGraph",
    "ChannelScores",
    "KerasPruneError",
    "Objective",
    "PruningPlan",
    "Task",
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
    "recalibrate",
    "rollouts",
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
    "Budget": ".budgets",
    "ChannelGraph": ".graph",
    "ChannelScores": ".scores",
    "KerasPruneError": ".errors",
    "Objective": ".training",
    "PruningPlan": ".plan",
    "Task": ".training",
    "benchmark": ".benchmarking",
    "benchmark_layers": ".benchmarking",
    "compare": ".profiling",
    "export": ".exporting",
    "pack": ".packing",
    "profile": ".profiling",
    "prune": ".surgery",
    "recalibrate": ".training",
    "schedules": ".methods.magnitude.schedules",
    "silence": ".surgery",
    "unpack": ".packing",
    "without_dead": ".surgery",
}

__getattr__, __dir__ = lazy(__name__, {name: _HOMES.get(name, f".{name}") for name in __all__})
