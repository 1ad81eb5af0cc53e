"""The command line. Installed as `keras_prune.cli`; nothing heavy is imported until work starts."""

from .app import main

__all__ = ["main"]
