"""What was pruned and is needed no more is given back."""

import gc
import weakref

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.benchmarking.latency import tflite_latency
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph


class Subclassed(keras.Model):
    """A network whose trace is remembered."""

    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(4, 3, name="conv")
        self.head = keras.layers.Dense(2, name="head")

    def call(self, images):
        return self.head(keras.ops.max(self.conv(images), axis=(1, 2)))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 28, 28, 1)))
    return model


def half(graph):
    kept = {name: range(group.channels // 2) for name, group in graph.groups.items()}
    return PruningPlan.for_graph(graph, kept)


def left(build, work):
    """How many of five models, and of what is made of them, live on after the work."""

    def once():
        model = build()
        return [weakref.ref(each) for each in (model, *work(model))]

    made = [ref for _ in range(5) for ref in once()]
    gc.collect()
    return sum(ref() is not None for ref in made)


def pruned(model):
    graph = ChannelGraph(model)
    small = prune_graph(graph, half(graph))
    small(np.zeros((1, 28, 28, 1)))
    return graph, small, profile(small)


def test_neither_models_nor_graphs_live_on():
    assert left(zoo.lenet5, pruned) == 0
    assert left(subclassed, pruned) == 0


@pytest.mark.slow
def test_what_was_converted_to_be_timed_lives_no_longer_than_its_model():
    def timed(model):
        assert tflite_latency(model, runs=1) > 0
        return ()

    small = lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])  # noqa: E731
    assert left(small, timed) == 0
