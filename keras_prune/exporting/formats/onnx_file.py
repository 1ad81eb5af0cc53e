"""Writing ONNX files."""

from pathlib import Path
from typing import Any

import keras

from keras_prune.errors import ExportError
from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.formats.saved_model import endpoint
from keras_prune.exporting.settings import Settings
from keras_prune.runtimes.extras import optional

_OPSET = 18


class OnnxFile(Format):
    """An ONNX file with float32 weights, written by tf2onnx.

    Not through `keras.Model.export`: it turns tensors that a layer made when it was built, such as
    Normalization's mean, into inputs that whoever runs the file would have to know.
    """

    name = "onnx"
    suffix = ".onnx"

    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        onnx = optional("onnx")
        proto = _proto(model)
        foreign = [n for n in proto.graph.node if not onnx.defs.has(n.op_type, n.domain)]
        if foreign:
            found = ", ".join(f"{node.op_type} (at {node.name})" for node in foreign)
            raise ExportError(
                f"ONNX has no operation for {found}. Replace the layer, or export a saved_model."
            )
        onnx.helper.set_model_props(proto, dict(settings.metadata))
        onnx.save(proto, str(path))


def _proto(model: keras.Model) -> Any:
    """The model as ONNX, its inputs named as the model's, its outputs `output_0`, ..."""
    convert, loader = optional("tf2onnx.convert"), optional("tf2onnx.tf_loader")
    function = endpoint(model).get_concrete_function()
    inputs = [tensor.name for tensor in function.inputs[: len(model.inputs)]]
    outputs = [tensor.name for tensor in function.outputs]
    names = [tensor.name for tensor in model.inputs]
    names += [f"output_{i}" for i in range(len(outputs))]
    proto, _ = convert.from_graph_def(
        loader.from_function(function, inputs, outputs),  # all that is no input is a constant
        name=model.name,
        input_names=inputs,
        output_names=outputs,
        opset=_OPSET,
        tensors_to_rename=dict(zip(inputs + outputs, names, strict=True)),
    )
    return proto
