"""Candidates a second of RL-Pruner: silenced rollouts against rebuilding the network.

Both ways share out the same budget and measure the accuracy on the same images, in one process, in
turns. The naive way is surgery and a new compiled function for every candidate.

    python benchmarks/candidates.py [--model resnet56] [--images 500] [--rounds 3]
"""

import statistics

import click
import numpy as np
from rebuilding import rebuild_and_run, timed


@click.command()
@click.option("--model", default="resnet56", show_default=True)
@click.option("--images", default=500, show_default=True, help="Images a reward needs.")
@click.option("--rounds", default=3, show_default=True, help="Candidates of each kind.")
@click.option("--macs", default=0.5, show_default=True, help="Fraction that a candidate keeps.")
def main(model: str, images: int, rounds: int, macs: float) -> None:
    """Prints candidates a second of both ways, and their ratio."""
    from keras_prune import Task, zoo
    from keras_prune.budgets import Budget
    from keras_prune.graph import ChannelGraph
    from keras_prune.methods.rl_pruner import pruning_environment

    random = np.random.default_rng(0)
    graph = ChannelGraph(zoo.get(model)())
    pixels = random.integers(0, 256, (images, 32, 32, 3)).astype("float32")
    arrays = pixels, random.integers(0, 10, images)
    task, budgets = Task(arrays, validation=arrays), [Budget(macs=macs)]
    environment, set_up = timed(
        lambda: pruning_environment(graph, budgets, task, reward_images=images, criterion="l1")
    )
    environment.step(np.ones(len(environment.groups)))  # warm
    fast, slow = [], []
    for _ in range(rounds):
        action = random.gamma(1, size=len(environment.groups))
        environment.reset()
        fast.append(timed(lambda a=action: environment.step(a))[1])
        slow.append(timed(lambda a=action: rebuild_and_run(graph, environment.plan(a), arrays))[1])
    quick, plain = statistics.median(fast), statistics.median(slow)
    click.echo(
        f"{model}, {images} images: silenced {1 / quick:.2f}/s, rebuilt {1 / plain:.2f}/s, "
        f"ratio {plain / quick:.1f}, set-up {set_up:.1f} s"
    )


if __name__ == "__main__":
    main()
