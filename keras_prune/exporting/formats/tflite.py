"""Writing TFLite files."""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ExportError
from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.formats.saved_model import SavedModel
from keras_prune.exporting.settings import Settings

_LOOP = re.compile(r'fused\["TensorList\w+:", "([^"@]+?)/TensorArray')
"""How the converter names the lists of a loop, that of a recurrent layer: by its path."""

_FOREIGN = re.compile(r'fused\["\w+:", "([^"@]+)@?[^"]*"[^\']*\'tf\.(\w+)\' op is neither')
"""How the converter names an operation of TensorFlow that TFLite lacks: its path, its kind."""


class TFLite(Format):
    """A TFLite flat buffer of TFLite's own operations; metadata are text files packed behind it."""

    name = "tflite"
    suffix = ".tflite"
    quantizes = True
    signs = True

    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            plain = Settings(signature=settings.signature)
            SavedModel().write(model, Path(folder), plain)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, [settings.signature])
            _quantize(converter, model, settings)
            if settings.sparse:
                converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
            path.write_bytes(_convert(converter))
        if settings.metadata:
            with zipfile.ZipFile(path, "a") as archive:
                for name, text in settings.metadata.items():
                    # Without the time of day, so that a model is always the same file.
                    archive.writestr(zipfile.ZipInfo(f"{name}.txt"), text)


def _quantize(converter: tf.lite.TFLiteConverter, model: keras.Model, settings: Settings) -> None:
    if settings.quantize is None:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if settings.calibrated:
        converter.representative_dataset = lambda: _feeds(model, settings)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if settings.quantize == "int8_io":
        converter.inference_input_type = converter.inference_output_type = tf.int8


def _feeds(model: keras.Model, settings: Settings) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """The representative examples one by one, or in batches of the model's fixed size."""
    names, arrays = [tensor.name for tensor in model.inputs], settings.representative or []
    step = model.inputs[0].shape[0] or 1
    for start in range(0, len(arrays[0]) - step + 1, step):
        batch = [array[start : start + step] for array in arrays]
        yield settings.signature, dict(zip(names, batch, strict=True))


def _convert(converter: tf.lite.TFLiteConverter) -> bytes:
    try:
        return bytes(converter.convert())
    except Exception as error:
        if loops := dict.fromkeys(_LOOP.findall(str(error))):
            raise ExportError(
                f"TFLite cannot run the loop of {', '.join(loops)} with an open batch size or "
                "length. Give batch_size=1 (--batch-size 1), or export a saved_model."
            ) from error
        foreign = dict.fromkeys(_FOREIGN.findall(str(error)))
        if not foreign:
            raise
        found = ", ".join(f"{kind} (at {path})" for path, kind in foreign)
        raise ExportError(
            f"TFLite has no operation for {found}. Replace the layer, or export a saved_model."
        ) from error
