"""Whether memory grows with what one process has pruned, timed or walked.

    python benchmarks/memory.py [prune | benchmark | walk ...] [--times N]

Each kind of work is done again and again in a process of its own, and beside it what Keras and
TensorFlow do in it without this package: the same networks built, loaded and called. After each,
garbage is collected. What grows by more than they make it grow is held by the package.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

TIMES = {"prune": 50, "benchmark": 200, "walk": 40}
IMAGES = np.zeros((8, 28, 28, 1), "float32")
Work = Callable[[int], Any]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(TIMES)))
@click.option("--times", type=int, help="How often.  [default: 50, 200, 40]")
@click.option("--one", type=click.Choice(["ours", "alone"]), hidden=True)
def main(names: tuple[str, ...], times: int | None, one: str | None) -> None:
    """Prints a table of resident memory, in MiB."""
    if one:
        click.echo(json.dumps(measure(WORK[one][names[0]], times or TIMES[names[0]])))
        return
    columns = ("start", "a third", "end", "growth of each")
    click.echo(f"{'what':24}{'number':>8}" + "".join(f"{name:>16}" for name in columns))
    for name in names or TIMES:
        for who in WORK:
            _in_a_process(name, who, times or TIMES[name])


def measure(prepared: Callable[[], Work], times: int) -> list[float]:
    """Resident memory after the first piece of work, after a third and at the end, in MiB."""
    work, marks = prepared(), []
    for number in range(times + 1):  # the first one loads what all need
        work(number)
        gc.collect()
        if number in (0, times // 3, times):
            marks.append(resident())
    return marks


def resident() -> float:
    """Resident memory of the process now, in MiB; of Linux alone."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def prunes() -> Work:
    """Walk, plan and surgery of a small network, and a prediction of what is left."""
    import keras_prune as kp
    from keras_prune.surgery import prune_graph

    def work(_: int) -> None:
        graph = kp.ChannelGraph(kp.zoo.conv248())
        kept = {name: range((group.channels + 1) // 2) for name, group in graph.groups.items()}
        small = prune_graph(graph, kp.PruningPlan.for_graph(graph, kept))
        small.predict(IMAGES, verbose=0)

    return work


def predictions() -> Work:
    """The same with Keras: a network, a copy of it, and a prediction."""
    import keras

    from keras_prune import zoo

    return lambda _: keras.models.clone_model(zoo.conv248()).predict(IMAGES, verbose=0)


def benchmarks() -> Work:
    """A `.keras` and a `.tflite` file timed side by side."""
    from keras_prune.benchmarking import benchmark

    files = _files()
    # Files of others are tried in a process of their own, whose memory is none of this one's.
    return lambda _: benchmark(files, turns=1, threads=1, trusted=True)


def loadings() -> Work:
    """The same files loaded and called six times, as a turn does it."""
    import keras
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    saved, converted = _files()

    def work(_: int) -> None:
        model = keras.models.load_model(saved)
        outputs = tf.function(lambda images: model(images, training=False))
        run = Interpreter(model_path=str(converted), num_threads=1).get_signature_runner()
        for _ in range(6):
            outputs(tf.constant(IMAGES[:1])).numpy()
            run(**dict.fromkeys(run.get_input_details(), IMAGES[:1]))

    return work


def walks() -> Work:
    """The graphs of the networks of `keras.applications`, one after the other."""
    from keras_prune import ChannelGraph

    build = builders()
    return lambda number: ChannelGraph(build(number)).groups


def builds() -> Work:
    """The same networks built, and nothing else."""
    return builders()


def builders() -> Work:
    """Builds a network of `keras.applications` by its number, in the order of their names."""
    import keras

    found = [
        value
        for name, value in sorted(vars(keras.applications).items())
        if callable(value) and name[0].isupper()
    ]
    return lambda number: found[number % len(found)](weights=None)


def _files() -> tuple[Path, Path]:
    """Both files, made by another process: converters keep memory of their own."""
    folder = tempfile.mkdtemp()
    code = f"import keras_prune as kp; m = kp.zoo.conv248(); m.save({folder + '/m.keras'!r}); "
    code += f"kp.export(m, {folder + '/m.tflite'!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return Path(folder, "m.keras"), Path(folder, "m.tflite")


WORK: dict[str, dict[str, Callable[[], Work]]] = {
    "ours": {"prune": prunes, "benchmark": benchmarks, "walk": walks},
    "alone": {"prune": predictions, "benchmark": loadings, "walk": builds},
}


def _in_a_process(name: str, who: str, times: int) -> None:
    command = [sys.executable, __file__, name, "--one", who, "--times", str(times)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    start, third, end = json.loads(done.stdout.splitlines()[-1])
    what = name if who == "ours" else f"{name}, Keras alone"
    figures = f"{start:16.0f}{third:16.0f}{end:16.0f}{(end - start) / times:16.3f}"
    click.echo(f"{what:24}{times:8}{figures}")


if __name__ == "__main__":
    main()
