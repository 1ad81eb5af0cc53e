"""Export, then verify: a file that does not compute what the model does is never left behind."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_prune.errors import ExportError, KerasPruneError, unknown
from keras_prune.exporting.checking import Agreement, Tolerance, agreement
from keras_prune.exporting.deploying import Deployed, deployed
from keras_prune.exporting.examples import given, made_up
from keras_prune.exporting.formats import Format, format_of
from keras_prune.exporting.precision import in_float32
from keras_prune.exporting.settings import DEFAULT_SIGNATURE, QUANTIZATIONS, Settings
from keras_prune.exporting.wrapping import wrapped
from keras_prune.runtimes import Arrays, open_runtime, size
from keras_prune.runtimes.keras_file import counted_macs
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.drafts import draft_folder
from keras_prune.utils.quiet import quiet
from keras_prune.utils.reasons import reason

TOLERANCES = {
    None: Tolerance(1e-3),
    "float16": Tolerance(1e-2, decided=90),
    "dynamic": Tolerance(0.1, top1=90, decided=50),
    "int8": Tolerance(0.1, top1=90, decided=50),
    "int8_io": Tolerance(0.1, top1=90, decided=50),
}
"""What each quantization may cost."""

_CALIBRATED_ON = 256
"""Representative examples that a file is compared on where no batch is given."""


@dataclass(frozen=True)
class Exported:
    """What was written and how well it agrees with the model.

    Args:
        path: the file or directory.
        format: `"tflite"`, `"saved_model"`, `"onnx"`, `"keras"` or `"packed"`.
        quantize: as given to `export`.
        bytes: size of the file, or of all files of the directory.
        max_abs_error: largest absolute difference from the model's output on the batch.
        top1_agreement: examples of the batch in which both choose the same class, in percent; None
            if the output is no row of class scores.
        accuracy: right answers of the file on the batch, in percent; None without `truth`.
        model_accuracy: the model's, likewise.
        decided: examples of the batch for which both decide alike, in percent, where the model
            decides about what it computes; else 100.
    """

    path: str
    format: str
    quantize: str | None
    bytes: int
    max_abs_error: float
    top1_agreement: float | None
    accuracy: float | None
    model_accuracy: float | None
    decided: float = 100.0


def export(
    model: keras.Model,
    path: str | Path,
    format: str | None = None,
    *,
    quantize: str | None = None,
    representative: np.ndarray | Sequence[np.ndarray] | None = None,
    sparse: bool = False,
    preprocessing: keras.Layer | None = None,
    batch_size: int | None = None,
    signature: str = DEFAULT_SIGNATURE,
    labels: Sequence[str] | None = None,
    input_range: tuple[float, float] | None = None,
    batch: np.ndarray | Sequence[np.ndarray] | None = None,
    truth: np.ndarray | None = None,
    force: bool = False,
) -> Exported:
    """Writes a model in a deployment format, runs the file and compares it with the model.

    The file runs in its own runtime: TensorFlow for a SavedModel, LiteRT for TFLite, onnxruntime
    for ONNX. All but `.keras` compute in float32, inputs and outputs included, whatever the model's
    own precision (float16, bfloat16, float64, mixed). A file of floats may differ by 0.1 % of the
    model's largest output (float16: 1 %); one of integers has to choose the model's class in 90 %
    of the examples, or differ by at most 10 % where there are no classes. TFLite, ONNX and
    SavedModel say how many MACs an example costs, for `benchmark`.

    Args:
        model: a built model.
        path: where to write.
        format: `"tflite"`, `"saved_model"`, `"onnx"`, `"keras"` or `"packed"` (`.kpz`). Default: by
            the path's suffix; one without a suffix is a SavedModel directory.
        quantize: for TFLite. `"float16"` weights; `"dynamic"`: int8 weights; `"int8"`: int8 weights
            and activations; `"int8_io"`: int8 inputs and outputs, too. Default: float32.
        representative: for `"int8"` and `"int8_io"`, typical examples `(n, *input_shape)` from the
            training or validation split, a few hundred; a list of such arrays for several inputs.
        sparse: for TFLite without `quantize`: store weights that are mostly zeros without them.
        preprocessing: a layer, or a built model with inputs of its own, put in front of the model.
        batch_size: the only one the file accepts. Default: any. TFLite is faster with a fixed one.
        signature: the name a SavedModel or TFLite file is called by.
        labels: names of the classes, kept in the file as `labels` (not `.keras`).
        input_range: smallest and largest value of an input, kept as `input_range` (not `.keras`).
        batch: examples that file and model are compared on, like `representative`. Default: the
            representative ones, or 8 seeded examples of pixel-like values in [0, 255).
        truth: `(n,)` or `(n, 1)`, the true classes of `batch`, or 0 and 1 for each output,
            `(n, outputs)`; the accuracy of both is then reported.
        force: replace what is at `path`.

    Returns:
        Path, format, size and how well the file agrees with the model.

    Raises:
        ExportError: an argument does not fit the format or the model, something is at `path`
            already, the place cannot be written, the format cannot express the model, or what was
            written differs from it. Nothing new is left at `path` then.
        ConfigError: ONNX is not installed.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> export(model, os.path.join(tempfile.mkdtemp(), "model.keras")).max_abs_error
    0.0
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    expect_kind(path, (str, Path), "path", "the path of a file")
    path = Path(path)
    kind = format_of(path, format)
    _check_free(path, force)
    forms = deployed(model, kind.name)
    written, expected = (
        _computing(kind, wrapped(form, preprocessing, _one_size(forms, batch_size)))
        for form in (forms.written, forms.expected)
    )
    settings = Settings(
        quantize=_checked(quantize, representative, sparse),
        representative=None
        if representative is None
        else given("representative", representative, written),
        sparse=sparse,
        signature=signature,
        metadata=_metadata(kind, model, labels, input_range),
    )
    kind.check(settings)
    examples = _examples(written, settings, batch)
    forms = Deployed(written, expected, tried=forms.tried)
    found = _write_and_check(kind, forms, path, settings, examples, truth)
    return Exported(
        str(path), kind.name, quantize, size(path), found.max_abs_error, found.top1,
        found.accuracy, found.model_accuracy, found.decided,
    )  # fmt: skip


def _computing(kind: Format, form: keras.Model) -> keras.Model:
    """A model in the precision that files of this kind have."""
    with quiet():
        return in_float32(form) if kind.float32 else form


def _one_size(forms: Deployed, batch_size: int | None) -> int | None:
    if forms.batch_size and batch_size not in (None, forms.batch_size):
        raise ExportError(
            f"In this format the model takes batches of {forms.batch_size} only. Received: "
            f"batch_size={batch_size}. Leave it out."
        )
    return forms.batch_size or batch_size


_SAVED_MODEL = {
    "saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra", "keras_metadata.pb",
}  # fmt: skip
"""What TensorFlow writes into a SavedModel's directory."""


def _check_free(path: Path, force: bool) -> None:
    if path.is_dir() and any(path.iterdir()):
        if not (path / "saved_model.pb").is_file():  # not even by force
            raise ExportError(f"The directory {path} is not empty and no SavedModel. Give another.")
        others = sorted({inside.name for inside in path.iterdir()} - _SAVED_MODEL)
        if force and others:
            raise ExportError(
                f"The SavedModel {path} holds other files that would be lost: {', '.join(others)}. "
                "Move them, or give another path."
            )
    elif not path.is_file():
        return
    if not force:
        raise ExportError(
            f"{path} exists. Give another path, or replace it by force=True (--force)."
        )


def _checked(quantize: str | None, representative: object, sparse: bool) -> str | None:
    if quantize is not None and quantize not in QUANTIZATIONS:
        raise ExportError(unknown("quantization", quantize, QUANTIZATIONS))
    if sparse and quantize is not None:
        raise ExportError(
            f"quantize={quantize!r} and sparse=True do not go together: LiteRT cannot run such a "
            "file. Leave one out."
        )
    if (representative is not None) != Settings(quantize).calibrated:
        need = "needs representative examples" if representative is None else "takes none"
        raise ExportError(
            f"quantize={quantize!r} {need}; those are for 'int8' and 'int8_io', as "
            "`representative` from Python and by --dataset on the command line."
        )
    return quantize


def _metadata(
    kind: Format,
    model: keras.Model,
    labels: Sequence[str] | None,
    input_range: tuple[float, float] | None,
) -> dict[str, str]:
    metadata = {}
    if labels is not None:
        outputs = [tuple(tensor.shape) for tensor in getattr(model, "outputs", None) or ()]
        if len(outputs) == 1 and len(outputs[0]) == 2 and outputs[0][1] not in (len(labels), 1):
            raise ExportError(
                f"labels: expected a name for each of {outputs[0][1]} classes. Received: "
                f"{len(labels)}."
            )
        metadata["labels"] = "\n".join(labels)
    if input_range is not None:
        metadata["input_range"] = " ".join(f"{bound:g}" for bound in input_range)
    if kind.describes and (macs := counted_macs(model)) is not None:
        metadata["macs"] = str(macs)
    return metadata


def _examples(
    model: keras.Model, settings: Settings, batch: np.ndarray | Sequence[np.ndarray] | None
) -> Arrays:
    if batch is not None:
        return given("batch", batch, model)
    if settings.representative is not None:
        return [array[:_CALIBRATED_ON] for array in settings.representative]
    return made_up(model)


def _write_and_check(
    kind: Format,
    forms: Deployed,
    path: Path,
    settings: Settings,
    batch: Arrays,
    truth: np.ndarray | None,
) -> Agreement:
    """Writes beside the path, compares, and only then moves the file to its place."""
    try:
        with draft_folder(path.parent) as folder:
            draft = folder / path.name
            found = _draft(kind, forms, draft, settings, batch, truth)
            if path.is_dir():
                os.replace(path, folder / "replaced")
            os.replace(draft, path)
    except OSError as error:
        raise ExportError(f"Cannot write {path}: {error.strerror or error}.") from error
    return found


def _draft(
    kind: Format,
    forms: Deployed,
    draft: Path,
    settings: Settings,
    batch: Arrays,
    truth: np.ndarray | None,
) -> Agreement:
    try:
        with quiet():
            kind.write(forms.written, draft, settings)
            runtime = open_runtime(draft, trusted=True)
            for count in forms.tried:
                found = agreement(runtime, forms.expected, batch, truth, count)
                TOLERANCES[settings.quantize].check(kind.name, found)
            return found
    except (OSError, KerasPruneError):
        raise
    except Exception as error:  # the converters raise whatever their many layers raise
        why = reason(error, first_line=True)
        raise ExportError(f"The model cannot be written as {kind.name}: {why}") from error
