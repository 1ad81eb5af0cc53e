"""Writing a model in a deployment format and proving that the file computes what the model does."""

from keras_prune.exporting.attempts import Failed, attempt
from keras_prune.exporting.model_export import Exported, export
from keras_prune.exporting.settings import QUANTIZATIONS

__all__ = [
    "QUANTIZATIONS",
    "Exported",
    "Failed",
    "attempt",
    "export",
]
