"""Model files of every kind, each run by the library that runs it where it is deployed."""

from keras_prune.runtimes.base import Arrays, Port, Runtime
from keras_prune.runtimes.opening import open_runtime
from keras_prune.runtimes.sizes import gzip_size, size

__all__ = ["Arrays", "Port", "Runtime", "gzip_size", "open_runtime", "size"]
