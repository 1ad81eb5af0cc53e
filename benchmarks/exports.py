"""What exporting a model and its pruned self gives: size, agreement, accuracy and speed.

    python benchmarks/exports.py baseline.keras pruned.keras --dataset cifar10

Each model is written in every format and quantization, with batch size 1, and compared with its
Keras model on 1,000 test images; then all TFLite files are timed in turns. The figures to reach:
agreement 100 % where the file computes in float32, int8 accuracy within 0.5 points, a realised
speed-up of at least 0.85, and int8 at least twice as fast as the pruned float32 file.
"""

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

WAYS = (
    ("keras", None), ("saved_model", None), ("onnx", None), ("tflite", None),
    ("tflite", "float16"), ("tflite", "dynamic"), ("tflite", "int8"),
)  # fmt: skip
CALIBRATION = 256


@click.command()
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("pruned", type=click.Path(path_type=Path))
@click.option("--dataset", default="cifar10", show_default=True)
@click.option("--examples", default=1000, show_default=True, help="Test images.")
@click.option("--threads", default=1, show_default=True)
@click.option("--turns", default=40, show_default=True)
def main(
    baseline: Path, pruned: Path, dataset: str, examples: int, threads: int, turns: int
) -> None:
    """Prints a table of the exports and one of the timings."""
    with tempfile.TemporaryDirectory() as folder:
        exports = [
            row
            for path in (baseline, pruned)
            for row in write(path, Path(folder) / path.stem, dataset, examples)
        ]
        show([{**row, "path": relative(row["path"], folder)} for row in exports])
        files = [row["path"] for row in exports if row["format"] == "tflite"]
        frame = time(files, threads, turns)
        frame["path"] = [relative(path, folder) for path in frame["path"]]
        show(frame.to_dict("records"))


def write(path: Path, folder: Path, dataset: str, examples: int) -> list[dict[str, Any]]:
    """Exports one model in every way."""
    from dataclasses import asdict

    import keras_prune as kp
    from keras_prune.runtimes.loading import load_model

    folder.mkdir()
    model = load_model(path)
    splits = kp.data.load(dataset, input_shape=model.inputs[0].shape[1:])
    images, truth = splits.test_arrays(examples)
    typical, _ = splits.validation_arrays(CALIBRATION)
    rows = []
    for kind, quantize in WAYS:
        suffix = "" if kind == "saved_model" else f".{kind}"
        out = folder / f"{quantize or 'float32'}{suffix}"
        given = {"representative": typical} if quantize == "int8" else {}
        exported = kp.export(
            model, out, quantize=quantize, batch_size=1, batch=images, truth=truth, **given
        )
        rows.append(asdict(exported))
    return rows


def time(files: list[str], threads: int, turns: int) -> Any:
    """Times the files in turns. What the first of each model gains is its realised speed-up."""
    import keras_prune as kp

    frame = kp.benchmark(files, threads=threads, turns=turns).to_frame()
    return frame[["path", "median_ms", "p10_ms", "p90_ms", "speedup", "mac_ratio", "realised"]]


def show(rows: list[dict[str, Any]]) -> None:
    """A table, a row per line."""
    import pandas as pd

    frame = pd.DataFrame(rows).replace({np.nan: None})
    click.echo(frame.to_string(index=False, float_format="{:.4g}".format) + "\n")


def relative(path: str, folder: str) -> str:
    """What the tables call a file."""
    return str(Path(path).relative_to(folder))


if __name__ == "__main__":
    main()
