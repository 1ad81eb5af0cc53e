"""Networks that read words: what lookups know comes along."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as kl

from keras_prune.exporting import export
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune, silence, without_dead

pytestmark = pytest.mark.tensorflow
WORDS = tf.constant([["the cat sat"], ["a dog ran far"], ["unheard of"]])


def network() -> keras.Model:
    vectors = kl.TextVectorization(50, output_sequence_length=12)
    vectors.adapt(np.array(["the cat sat", "a dog ran far"]))
    i = keras.Input((1,), dtype="string")
    x = kl.Conv1D(8, 3, activation="relu", name="a")(kl.Embedding(50, 8)(vectors(i)))
    return keras.Model(i, kl.Dense(2)(kl.GlobalMaxPooling1D()(x)))


def test_an_adapted_vocabulary_survives_pruning_and_a_saved_model(tmp_path):
    model = network()
    graph = ChannelGraph(model)
    whole = prune(model, PruningPlan.for_graph(graph, {}))
    np.testing.assert_array_equal(whole(WORDS), model(WORDS))
    plan = PruningPlan.for_graph(graph, {"a": (0, 2, 5)})
    pruned = prune(model, plan)
    np.testing.assert_allclose(pruned(WORDS), silence(model, plan)(WORDS), atol=1e-6)
    assert not np.allclose(pruned(WORDS)[0], pruned(WORDS)[1])
    assert without_dead(graph).kept == {}
    export(pruned, tmp_path / "saved")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(loaded.serve(WORDS)[0], pruned(WORDS), atol=1e-6)


@pytest.mark.parametrize("mode", ["multi_hot", "tf_idf"])
def test_lookups_of_words_and_numbers_by_name(mode):
    words, numbers = kl.StringLookup(output_mode=mode), kl.IntegerLookup(vocabulary=[10, 20, 30])
    words.adapt(np.array([["a", "b"], ["b", "c"]]))
    i = {"w": keras.Input((3,), dtype="string", name="w")}
    i |= {"n": keras.Input((2,), dtype="int64", name="n")}
    n = kl.Flatten()(kl.Embedding(4, 2)(numbers(i["n"])))
    model = keras.Model(i, kl.Dense(2)(kl.Dense(6, name="c")(kl.Concatenate()([words(i["w"]), n]))))
    x = {"w": tf.constant([["a", "c", "?"]]), "n": tf.constant([[30, 7]], "int64")}
    plan = PruningPlan.for_graph(ChannelGraph(model), {"c": (1, 4)})
    np.testing.assert_allclose(prune(model, plan)(x), silence(model, plan)(x), atol=1e-6)
    whole = prune(model, PruningPlan.for_graph(ChannelGraph(model), {}))
    np.testing.assert_array_equal(whole(x), model(x))
