"""Whether rounding the channels that stay to a multiple of 4, 8 or 16 makes a pruned file faster.

Every group keeps an odd number of channels, 40 to 80 % of them, drawn by a seed; then the same
numbers rounded to the nearest multiple. Weights are random. Each network becomes a TFLite file with
batch size 1, and all run in turns, the unpruned one first.

    python benchmarks/rounding.py [VGG16] [ResNet50] [--threads 1] [--turns 20] [--quantize int8]

VGG16 is the package's, on 32x32 images; any other NAME is one of keras.applications.
"""

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

MULTIPLES = (1, 4, 8, 16)
LIMITS = (0.4, 0.8)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--threads", default=1, show_default=True)
@click.option("--turns", default=20, show_default=True)
@click.option("--quantize", type=click.Choice(["float16", "dynamic", "int8"]))
@click.option("--seed", default=0, show_default=True)
def main(names: tuple[str, ...], threads: int, turns: int, quantize: str | None, seed: int) -> None:
    """Prints a table per network."""
    for name in names or ("VGG16", "ResNet50"):
        with tempfile.TemporaryDirectory() as folder:
            frame = measure(name, Path(folder), threads, turns, quantize, seed)
        click.echo(f"{name}, {quantize or 'float32'}, {threads} thread(s)")
        click.echo(frame.to_string(index=False, float_format="{:.3f}".format))


def measure(
    name: str, folder: Path, threads: int, turns: int, quantize: str | None, seed: int
) -> Any:
    """A row per multiple, after one of the unpruned network."""
    import keras_prune as kp

    graph = kp.ChannelGraph(build(name))
    paths = [folder / "unpruned.tflite"]
    write(graph.model, paths[0], quantize)
    for multiple in MULTIPLES:
        kept = counts(graph, multiple, seed)
        plan = kp.PruningPlan.for_graph(graph, {group: range(n) for group, n in kept.items()})
        paths.append(folder / f"multiple-of-{multiple}.tflite")
        write(kp.prune(graph.model, plan), paths[-1], quantize)
    frame = kp.benchmark(paths, threads=threads, turns=turns).to_frame()
    frame["path"] = [Path(path).stem for path in frame["path"]]
    return frame[["path", "median_ms", "p10_ms", "p90_ms", "speedup", "mac_ratio", "realised"]]


def counts(graph: Any, multiple: int, seed: int) -> dict[str, int]:
    """How many channels of each group stay."""
    rng = np.random.default_rng(seed)
    kept = {}
    for name, group in graph.groups.items():
        odd = int(rng.uniform(*LIMITS) * group.channels) | 1
        nearest = max(multiple, multiple * round(odd / multiple))
        kept[name] = min(nearest, group.channels)
    return kept


def build(name: str) -> Any:
    """A network with random weights."""
    import keras

    import keras_prune as kp

    if name == "VGG16":
        return kp.zoo.vgg16((32, 32, 3), 10)
    return getattr(keras.applications, name)(weights=None)


def write(model: Any, path: Path, quantize: str | None) -> None:
    """Exports for batches of one; random weights have no classes worth agreeing on."""
    import keras_prune as kp

    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (8, *model.inputs[0].shape[1:])).astype("float32")
    calibration = {"representative": images} if quantize == "int8" else {}
    kp.export(model, path, batch_size=1, quantize=quantize, batch=images[:1], **calibration)


if __name__ == "__main__":
    main()
