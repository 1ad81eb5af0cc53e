"""Measures whether resident memory grows with what one process has done.

    python benchmarks/memory.py

Networks are pruned, files benchmarked, and networks walked, many in one process; beside each stands
what Keras and TensorFlow alone keep for the same models. Memory is read after a garbage collection,
and where it is said after `keras.backend.clear_session()`, which is the user's to call.
"""

import argparse
import gc
import multiprocessing
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

APPLICATIONS = (
    "DenseNet121", "DenseNet169", "DenseNet201", "EfficientNetB0", "EfficientNetB1",
    "EfficientNetB2", "EfficientNetB3", "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2S",
    "InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large",
    "MobileNetV3Small", "NASNetMobile", "ResNet50", "ResNet50V2", "ResNet101",
)  # fmt: skip


def _megabytes() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096 / 2**20


def _small(number: int):  # type: ignore[no-untyped-def]
    from keras_prune import zoo

    return zoo.build("conv248", (28, 28, 1), 10)


def _prune(number: int) -> None:
    import numpy as np

    import keras_prune as kp

    model = _small(number)
    graph = kp.ChannelGraph(model)
    plan = kp.Budget(macs=0.5).allocate(graph, kp.criteria.get("l1")(graph))
    kp.prune(model, plan).predict(np.zeros((2, 28, 28, 1), "float32"), verbose=0)


def _predict_alone(number: int) -> None:
    """What Keras does in `_prune`: two models are made, one predicts."""
    import numpy as np

    _small(number)
    _small(number).predict(np.zeros((2, 28, 28, 1), "float32"), verbose=0)


def _benchmark(number: int) -> None:
    import keras_prune as kp

    kp.benchmark(_files(), turns=1)


def _load_alone(number: int) -> None:
    """What is loaded and called in `_benchmark`, by Keras, TensorFlow and LiteRT alone."""
    import keras
    import numpy as np
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    kept, lite = _files()
    model = keras.models.load_model(kept, compile=False)
    tf.function(lambda x: model(x, training=False))(np.zeros((1, 28, 28, 1), "float32"))
    Interpreter(str(lite)).get_signature_runner()


_FOLDER = "KERAS_PRUNE_MEMORY_FILES"


def _files() -> list[Path]:
    return [Path(os.environ[_FOLDER]) / name for name in ("m.keras", "m.tflite")]


def _make_files() -> None:
    import keras_prune as kp

    for path in _files():
        kp.export(_small(0), path)


def _application(number: int):  # type: ignore[no-untyped-def]
    import keras

    made = getattr(keras.applications, APPLICATIONS[number % len(APPLICATIONS)])
    return made(weights=None, classes=10)


def _walk(number: int) -> None:
    import keras

    import keras_prune as kp

    kp.ChannelGraph(_application(number))
    keras.backend.clear_session()


def _build_alone(number: int) -> None:
    import keras

    _application(number)
    keras.backend.clear_session()


WORKS: dict[str, tuple[Callable[[int], None], Callable[[int], None], int]] = {
    "networks pruned, called": (_prune, _predict_alone, 50),
    "benchmarks of two files": (_benchmark, _load_alone, 200),
    "networks walked, session cleared": (_walk, _build_alone, 40),
}
"""Name -> what is done, what the libraries do in it alone, how often."""


def _measured(act: Callable[[int], None], count: int, found: "multiprocessing.Queue") -> None:  # type: ignore[type-arg]
    readings = []
    for number in range(count):
        act(number)
        readings.append(_megabytes())
    found.put((readings[0], readings[count // 2], readings[-1]))


def main() -> None:
    """Prints a table; each row is a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, default=1, help="do only one in so many")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    os.environ[_FOLDER] = tempfile.mkdtemp()
    making = context.Process(target=_make_files)  # a benchmark starts TensorFlow itself
    making.start()
    making.join()
    print("| what | number | MB after the first | half-way | at the end | MB each, second half |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (act, alone, whole) in WORKS.items():
        count = max(2, whole // options.part)
        for what, work in ((name, act), ("the libraries alone", alone)):
            found = context.Queue()
            process = context.Process(target=_measured, args=(work, count, found))
            process.start()
            first, half, last = found.get()
            process.join()
            each = (last - half) / (count - 1 - count // 2 or 1)
            row = (what, str(count), f"{first:.0f}", f"{half:.0f}", f"{last:.0f}", f"{each:.2f}")
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
