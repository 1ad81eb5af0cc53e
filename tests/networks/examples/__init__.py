"""Networks as the examples of keras.io build them, and what of them can leave."""

from tests.networks.examples import (
    dense,
    generative,
    images,
    swin,
    tables,
    text,
    transformers,
)
from tests.networks.examples.base import EXAMPLES, Example

__all__ = ["EXAMPLES", "Example"]

FAMILIES = (dense, generative, images, swin, tables, text, transformers)
