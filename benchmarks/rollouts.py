"""Reward evaluations a second on VGG16: silenced rollouts against rebuilding the network.

Both ways measure a mask's accuracy on the same validation images, in one process, turn about. The
naive way is what a mask costs without rollouts: build the pruned network, then run all of it.

    python benchmarks/rollouts.py [--images 1000] [--rounds 3]
"""

import statistics

import click
import numpy as np
from rebuilding import rebuild_and_run, timed


@click.command()
@click.option("--images", default=1000, show_default=True, help="Validation images a reward needs.")
@click.option("--rounds", default=3, show_default=True, help="Masks per group.")
@click.option("--seed", default=0, show_default=True, help="Of the masks.")
def main(images: int, rounds: int, seed: int) -> None:
    """Prints a row per group and the mean ratio over the convolutions."""
    from keras_prune import Task, data, zoo
    from keras_prune.graph import ChannelGraph
    from keras_prune.plan import PruningPlan
    from keras_prune.rollouts import evaluator

    graph = ChannelGraph(zoo.vgg16())
    task = Task(data.load("cifar10", input_shape=(32, 32, 3))).bind(graph.model)
    examples = task.examples("validation", images)
    random = np.random.default_rng(seed)
    click.echo(f"{'group':14} {'silenced /s':>12} {'naive /s':>10} {'ratio':>7} {'set-up s':>9}")
    ratios = {}
    for name, group in graph.groups.items():
        measure, set_up = timed(lambda group=group: evaluator(graph, [group], task, examples))
        measure.evaluate(np.ones(group.channels))  # warm
        fast, slow = [], []
        for _ in range(rounds):
            mask = (random.random(group.channels) < 0.7).astype("float32")
            mask[0] = 1
            fast.append(timed(lambda e=measure, m=mask: e.evaluate(m))[1])
            plan = PruningPlan.from_masks(graph, {name: mask})
            slow.append(timed(lambda p=plan: rebuild_and_run(graph, p, examples[:2]))[1])
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


if __name__ == "__main__":
    main()
