"""Magnitude pruning: single weights, the smallest first, with TFMOT's engine or by Han's loop."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.magnitude.config import MagnitudeConfig
    from keras_prune.methods.magnitude.masks import Masks
    from keras_prune.methods.magnitude.method import Magnitude
    from keras_prune.methods.magnitude.remasking import Remasking
    from keras_prune.methods.magnitude.tables import TITLES, layer_tables, summary

__all__ = [
    "TITLES",
    "Magnitude",
    "MagnitudeConfig",
    "Masks",
    "Remasking",
    "layer_tables",
    "summary",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "TITLES": ".tables",
        "Magnitude": ".method",
        "MagnitudeConfig": ".config",
        "Masks": ".masks",
        "Remasking": ".remasking",
        "layer_tables": ".tables",
        "summary": ".tables",
    },
)
