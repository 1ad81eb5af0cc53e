"""Libraries that come with the extra `[onnx]`."""

from importlib import import_module
from types import ModuleType

from keras_prune.errors import ConfigError


def optional(module: str) -> ModuleType:
    """A module of the extra `[onnx]`.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"ONNX needs {module}, which is not installed: pip install 'keras-prune[onnx]'."
        ) from error
