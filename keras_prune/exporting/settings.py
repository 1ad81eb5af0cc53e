"""What a file is to be like."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Arrays = list[np.ndarray]

QUANTIZATIONS = ("float16", "dynamic", "int8", "int8_io")
DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Settings:
    """How a format writes a model.

    Args:
        quantize: one of `QUANTIZATIONS`; None keeps float32.
        representative: one array of examples per input, for `"int8"` and `"int8_io"`.
        sparse: weights with many zeros are stored without them.
        signature: the name the file is called by.
        metadata: what the file says about itself.
    """

    quantize: str | None = None
    representative: Arrays | None = None
    sparse: bool = False
    signature: str = DEFAULT_SIGNATURE
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def integer(self) -> bool:
        """Whether weights are stored as integers."""
        return self.quantize not in (None, "float16")

    @property
    def calibrated(self) -> bool:
        """Whether activations are integers, too, with ranges from representative examples."""
        return self.quantize in ("int8", "int8_io")
