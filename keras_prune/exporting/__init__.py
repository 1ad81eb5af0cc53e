"""Writing a model in a deployment format and proving that the file computes what the model does."""

from keras_prune.exporting.model_export import Exported, export
from keras_prune.exporting.settings import QUANTIZATIONS
from keras_prune.exporting.sparse_forms import SparseForm, export_sparse, forms_frame

__all__ = [
    "QUANTIZATIONS",
    "Exported",
    "SparseForm",
    "export",
    "export_sparse",
    "forms_frame",
]
