"""Reward evaluations a second on VGG16: silenced rollouts against rebuilding the network.

Both ways measure the accuracy of the same masks on the same 1,000 validation images, in one process,
turn about. The naive way is what a mask costs without this package's rollouts: build the pruned
network, then run all of it.

    python benchmarks/rollouts.py [--images 1000] [--rounds 3]
"""

import statistics
import time
from collections.abc import Callable

import click
import numpy as np


@click.command()
@click.option("--images", default=1000, show_default=True, help="Validation images a reward needs.")
@click.option("--rounds", default=3, show_default=True, help="Masks per group.")
@click.option("--seed", default=0, show_default=True)
def main(images: int, rounds: int, seed: int) -> None:
    """Prints a row per group and the mean ratio over the convolutions."""
    import tensorflow as tf

    from keras_prune import data, zoo
    from keras_prune.graph import ChannelGraph
    from keras_prune.methods.filter_agent.rollouts import Rollouts
    from keras_prune.plan import PruningPlan
    from keras_prune.surgery import prune_graph

    splits = data.load("cifar10", input_shape=(32, 32, 3))
    x, y = splits.validation_arrays(images)
    graph = ChannelGraph(zoo.vgg16())
    random = np.random.default_rng(seed)
    print(f"{'group':14} {'silenced /s':>12} {'naive /s':>10} {'ratio':>7} {'set-up s':>9}")
    ratios = []

    def naive(name: str, mask: np.ndarray) -> float:
        small = prune_graph(graph, PruningPlan.from_masks(graph, {name: mask}))
        run = tf.function(lambda batch: tf.argmax(small(batch, training=False), axis=-1))
        batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(250)
        return 100 * float(np.mean(np.concatenate([run(a) == b for a, b in batches])))

    for name, group in graph.groups.items():
        started = time.perf_counter()
        rollouts = Rollouts(graph, group, x, y)
        rollouts.accuracy(np.ones(group.channels))
        set_up = time.perf_counter() - started
        fast, slow = [], []
        for _ in range(rounds):
            mask = (random.random(group.channels) < 0.7).astype("float32")
            mask[0] = 1
            fast.append(_seconds(lambda mask=mask: rollouts.accuracy(mask)))
            slow.append(_seconds(lambda name=name, mask=mask: naive(name, mask)))
        quick, plain = statistics.median(fast), statistics.median(slow)
        if name.startswith("block"):
            ratios.append(plain / quick)
        print(
            f"{name:14} {1 / quick:12.2f} {1 / plain:10.2f} {plain / quick:7.1f} {set_up:9.1f}",
            flush=True,
        )
    print(
        f"{len(ratios)} convolutions: ratio mean {statistics.mean(ratios):.1f}, "
        f"median {statistics.median(ratios):.1f}, smallest {min(ratios):.1f}"
    )


def _seconds(work: Callable[[], float]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
