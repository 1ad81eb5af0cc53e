"""Reward evaluations a second on VGG16: silenced rollouts against rebuilding the network.

Both ways measure a mask's accuracy on the same validation images, in one process, turn about. The
naive way is what a mask costs without rollouts: build the pruned network, then run all of it.

    python benchmarks/rollouts.py [--images 1000] [--rounds 3]
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np


@click.command()
@click.option("--images", default=1000, show_default=True, help="Validation images a reward needs.")
@click.option("--rounds", default=3, show_default=True, help="Masks per group.")
@click.option("--seed", default=0, show_default=True, help="Of the masks.")
def main(images: int, rounds: int, seed: int) -> None:
    """Prints a row per group and the mean ratio over the convolutions."""
    from keras_prune import data, zoo
    from keras_prune.graph import ChannelGraph
    from keras_prune.methods.rollouts import Rollouts

    arrays = data.load("cifar10", input_shape=(32, 32, 3)).validation_arrays(images)
    graph = ChannelGraph(zoo.vgg16())
    random = np.random.default_rng(seed)
    click.echo(f"{'group':14} {'silenced /s':>12} {'naive /s':>10} {'ratio':>7} {'set-up s':>9}")
    ratios = {}
    for name, group in graph.groups.items():
        rollouts, set_up = _timed(lambda group=group: Rollouts(graph, [group], *arrays))
        rollouts.accuracy(np.ones(group.channels))  # warm
        fast, slow = [], []
        for _ in range(rounds):
            mask = (random.random(group.channels) < 0.7).astype("float32")
            mask[0] = 1
            fast.append(_timed(lambda r=rollouts, m=mask: r.accuracy(m))[1])
            slow.append(_timed(lambda n=name, m=mask: _rebuild_and_run(graph, n, m, arrays))[1])
        quick, plain = statistics.median(fast), statistics.median(slow)
        ratios[name] = plain / quick
        click.echo(
            f"{name:14} {1 / quick:12.2f} {1 / plain:10.2f} {ratios[name]:7.1f} {set_up:9.1f}"
        )
    convolutions = [ratio for name, ratio in ratios.items() if name.startswith("block")]
    click.echo(
        f"{len(convolutions)} convolutions: ratio mean {statistics.mean(convolutions):.1f}, "
        f"median {statistics.median(convolutions):.1f}, smallest {min(convolutions):.1f}"
    )


def _rebuild_and_run(graph: Any, name: str, mask: np.ndarray, arrays: Any) -> float:
    """The naive way: surgery, a new compiled function, and the whole network on all images."""
    import tensorflow as tf

    from keras_prune.plan import PruningPlan
    from keras_prune.surgery import prune_graph

    small = prune_graph(graph, PruningPlan.from_masks(graph, {name: mask}))
    run = tf.function(
        lambda images: tf.argmax(small(images, training=False), axis=-1, output_type=tf.int32)
    )
    batches = tf.data.Dataset.from_tensor_slices(arrays).batch(250)
    return 100 * float(np.mean(np.concatenate([run(x) == y for x, y in batches])))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
