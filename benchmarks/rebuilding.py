"""What the benchmarks of rollouts compare with: a network rebuilt for every candidate."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def rebuild_and_run(graph: Any, plan: Any, arrays: tuple[np.ndarray, np.ndarray]) -> float:
    """Surgery, a new compiled function, and the whole network on all images; percent right."""
    import tensorflow as tf

    from keras_prune.surgery import prune_graph

    small = prune_graph(graph, plan)
    run = tf.function(lambda images: tf.argmax(small(images, training=False), axis=-1))
    batches = tf.data.Dataset.from_tensor_slices(arrays).batch(250)
    return 100 * float(np.mean(np.concatenate([run(x) == tf.cast(y, "int64") for x, y in batches])))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What some work returns, and the seconds it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
