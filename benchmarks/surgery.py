"""What walk, plan and surgery cost in time and memory: real architectures, and chains of blocks.

Every model is built and pruned to half of each group's channels in a process of its own. The time
of building it is not counted, nor is that of the first, small surgery, which loads the backend.

    python benchmarks/surgery.py [NAME ...] [--blocks 50,100,200,400,800]

A NAME is one of keras.applications; without any, those below are run.
"""

import itertools
import json
import subprocess
import sys
import time
from typing import Any

import click

MODELS = (
    "VGG16", "ResNet50", "ResNet152", "DenseNet121", "DenseNet201", "InceptionV3",
    "MobileNetV3Large", "EfficientNetB7", "EfficientNetV2L", "NASNetLarge", "ConvNeXtTiny",
)  # fmt: skip
COLUMNS = ("walk_s", "plan_s", "surgery_s", "total_s", "model_mb", "peak_mb")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--blocks", default="50,100,200,400,800", show_default=True, help="Of the chains.")
@click.option("--one", is_flag=True, hidden=True, help="Measure in this process; print JSON.")
def main(names: tuple[str, ...], blocks: str, one: bool) -> None:
    """Prints a row per model."""
    if one:
        click.echo(json.dumps(measure(names[0])))
        return
    chains = [f"chain-{count}" for count in blocks.split(",") if count]
    click.echo(f"{'model':18} {'groups':>7}" + "".join(f"{name:>11}" for name in COLUMNS))
    rows = [_in_a_process(name) for name in (*(names or MODELS), *chains)]
    real = [row["total_s"] for row in rows if not row["model"].startswith("chain")]
    click.echo(f"{len(real)} architectures in {sum(real):.2f} s")


def measure(name: str) -> dict[str, Any]:
    """Walk, plan and surgery of one model, each once."""
    from keras_prune.graph import ChannelGraph
    from keras_prune.plan import PruningPlan
    from keras_prune.reporting import peak_memory_mb
    from keras_prune.surgery import prune, prune_graph

    warm = chain(1)
    prune(warm, PruningPlan.for_graph(ChannelGraph(warm), {}))
    model, before = build(name), peak_memory_mb()
    times = [time.perf_counter()]
    graph = ChannelGraph(model)
    times.append(time.perf_counter())
    kept = {name: range((group.channels + 1) // 2) for name, group in graph.groups.items()}
    plan = PruningPlan.for_graph(graph, kept)
    times.append(time.perf_counter())
    prune_graph(graph, plan)
    times.append(time.perf_counter())
    parts = [after - before for before, after in itertools.pairwise(times)]
    figures = (*parts, sum(parts), before, peak_memory_mb())
    return {"model": name, "groups": len(kept), **dict(zip(COLUMNS, figures, strict=True))}


def build(name: str) -> Any:
    """A model of `keras.applications` with random weights, or `chain-N`."""
    import keras

    if name.startswith("chain-"):
        return chain(int(name.removeprefix("chain-")))
    return getattr(keras.applications, name)(weights=None)


def chain(blocks: int) -> Any:
    """Residual blocks of two convolutions in a row."""
    import keras
    from keras import layers

    inputs = keras.Input((16, 16, 8))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    for _ in range(blocks):
        y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(y))])
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


def _in_a_process(name: str) -> dict[str, Any]:
    command = [sys.executable, __file__, name, "--one"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    figures = "".join(f"{row[column]:11.2f}" for column in COLUMNS)
    click.echo(f"{name:18} {row['groups']:7}{figures}")
    return row


if __name__ == "__main__":
    main()
