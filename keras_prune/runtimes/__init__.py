"""Model files of every kind, each run by the library that runs it where it is deployed."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.runtimes.base import Arrays, Port, Runtime
    from keras_prune.runtimes.opening import open_runtime
    from keras_prune.runtimes.sizes import gzip_size, size

__all__ = ["Arrays", "Port", "Runtime", "gzip_size", "open_runtime", "size"]

_HOMES = {
    "Arrays": ".base",
    "Port": ".base",
    "Runtime": ".base",
    "gzip_size": ".sizes",
    "open_runtime": ".opening",
    "size": ".sizes",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
