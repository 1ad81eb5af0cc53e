"""What is handed to a public function in the wrong place is one clear error."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.errors import ConfigError
from keras_prune.methods.ranking import sensitivity
from keras_prune.utils.arguments import expect_seed


def model():
    layers = [keras.layers.Dense(5, name="hidden"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((4,)), *layers])


MODEL = model()
GRAPH = kp.ChannelGraph(MODEL)
PLAN = kp.PruningPlan.for_graph(GRAPH, {})
SCORES = {"hidden": np.arange(5.0)}
BUDGET = kp.Budget(ratio=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kp.prune(PLAN, MODEL), "model: expected a Keras model. Received: .* PruningPlan"),
        (lambda: kp.prune(MODEL, {"hidden": [0]}), "plan: expected a PruningPlan"),
        (lambda: kp.silence(MODEL, SCORES), "plan: expected a PruningPlan"),
        (lambda: kp.without_dead(MODEL), "graph: expected a ChannelGraph: kp"),
        (lambda: BUDGET.allocate(MODEL, SCORES), "graph: expected a ChannelGraph"),
        (lambda: BUDGET.allocate(GRAPH, "l1"), "scores: expected scores by group.* Received: 'l1'"),
        (lambda: kp.criteria.get("l1")(MODEL), "graph: expected a ChannelGraph"),
        (lambda: kp.ChannelGraph("model.keras"), "Received: 'model.keras'"),
        (lambda: kp.export("model.keras", MODEL), "model: expected a Keras model"),
        (lambda: kp.export(MODEL, None), "path: expected the path of a file. Received: None"),
        (lambda: kp.profile(GRAPH), "model: expected a Keras model. Received: .* ChannelGraph"),
        (lambda: kp.compare(MODEL, "other.keras"), "model: expected a Keras model"),
        (lambda: kp.recalibrate("model.keras", None), "model: expected a Keras model"),
        (lambda: sensitivity(MODEL, SCORES, None), "graph: expected a ChannelGraph"),
    ],
)  # fmt: skip
def test_one_clear_line(call, message):
    with pytest.raises(ConfigError, match=message):
        call()


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, "1", True, None])
def test_what_is_no_seed(seed):
    with pytest.raises(ConfigError, match="seed: expected an integer from 0 to 2147483647"):
        expect_seed(seed)


@pytest.mark.parametrize("seed", [0, 2**31 - 1, np.int64(7)])
def test_what_is_a_seed(seed):
    keras.utils.set_random_seed(expect_seed(seed) + 10**9)
