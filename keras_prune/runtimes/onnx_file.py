"""An ONNX file, run by onnxruntime."""

import re
from pathlib import Path
from typing import Any

from keras_prune.runtimes.base import Arrays, Port, Runtime
from keras_prune.runtimes.extras import optional

_DTYPES = {"float": "float32", "double": "float64"}


class OnnxRuntime(Runtime):
    """Runs the file on the processor.

    Args:
        path: the `.onnx` file.
        threads: default as many as there are cores.
    """

    kind = "onnx"

    def __init__(self, path: Path, threads: int | None) -> None:
        onnxruntime = optional("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = tuple(map(_port, self._session.get_inputs()))
        self.outputs = tuple(map(_port, self._session.get_outputs()))
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, arrays: Arrays) -> Arrays:
        return list(self._session.run(None, self.named(arrays)))


def _port(entry: Any) -> Port:
    shape = tuple(length if isinstance(length, int) else None for length in entry.shape)
    [kind] = re.findall(r"tensor\((\w+)\)", entry.type)
    return Port(entry.name, shape, _DTYPES.get(kind, kind))
