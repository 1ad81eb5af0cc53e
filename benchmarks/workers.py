"""Candidates a second with one process and with several, in turns, and whether values are the same.

python benchmarks/workers.py [--model resnet56] [--images 500] [--workers 2] [--masks 8]
"""

import statistics
import time

import click
import numpy as np


@click.command()
@click.option("--model", default="resnet56", show_default=True)
@click.option("--images", default=500, show_default=True, help="Images a value needs.")
@click.option("--workers", default=2, show_default=True)
@click.option("--masks", default=8, show_default=True, help="Candidates measured at a time.")
@click.option("--rounds", default=3, show_default=True)
def main(model: str, images: int, workers: int, masks: int, rounds: int) -> None:
    """Prints candidates a second of both ways, their ratio, and whether the bytes agree."""
    from keras_prune import Task, zoo
    from keras_prune.graph import ChannelGraph
    from keras_prune.rollouts import Evaluator, Pool, evaluator

    random = np.random.default_rng(0)
    graph = ChannelGraph(zoo.get(model)())
    shape = graph.model.input_shape[1:]
    pixels = random.integers(0, 256, (images, *shape)).astype("float32")
    arrays = pixels, random.integers(0, 10, images)
    task = Task(arrays, validation=arrays).bind(graph.model)
    groups = list(graph.groups.values())
    channels = sum(group.channels for group in groups)
    drawn = (random.random((masks, channels)) < 0.7).astype("float32")

    def seconds(measure: Evaluator) -> float:
        started = time.perf_counter()
        values.append(measure.evaluate(drawn).tobytes())
        return time.perf_counter() - started

    values: list[bytes] = []
    with Pool(workers) as pool:
        alone = evaluator(graph, groups, task, (*arrays, None))
        together = evaluator(graph, groups, task, (*arrays, None), pool=pool)
        seconds(alone), seconds(together)  # both are built
        pairs = [(seconds(alone), seconds(together)) for _ in range(rounds)]
    one, several = (statistics.median(column) / masks for column in zip(*pairs, strict=True))
    click.echo(
        f"{model}, {images} images: {1 / one:.2f}/s alone ({one:.2f} s each), "
        f"{1 / several:.2f}/s with {workers} workers, ratio {one / several:.2f}, "
        f"values {'equal' if len(set(values)) == 1 else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
