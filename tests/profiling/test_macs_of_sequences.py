"""The MACs of layers and ops that no channel leaves, each against a count by hand."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.graph import ChannelGraph
from keras_prune.graph.costs import channel_macs
from keras_prune.graph.cut_costs import CutCosts
from keras_prune.profiling import profile

T, N, U = 5, 4, 3  # steps, features, units


def sequence():
    return keras.Input((T, N))


def model_of(make, *inputs):
    return keras.Model(list(inputs), make(*inputs))


def shared_dense():
    return keras.Sequential([keras.Input((N,)), kl.Dense(6), kl.ReLU(), kl.Dense(2)])


LSTM, GRU, SIMPLE = 4 * U * (N + U), 3 * U * (N + U), U * (N + U)

# What is called on a sequence of T steps of N features: its MACs, and the additions of its biases.
ON_SEQUENCES = {
    "lstm": (lambda x: kl.LSTM(U)(x), T * LSTM, T * 4 * U),
    "lstm_with_states": (
        lambda x: kl.LSTM(U, return_sequences=True, return_state=True)(x)[0], T * LSTM, T * 4 * U
    ),
    "lstm_from_states": (
        lambda x: kl.LSTM(U)(sequences=x, initial_state=[x[:, 0, :U], x[:, 1, :U]]),
        T * LSTM, T * 4 * U,
    ),
    "gru": (lambda x: kl.GRU(U)(x), T * GRU, T * 2 * 3 * U),
    "simple": (lambda x: kl.SimpleRNN(U, use_bias=False)(x), T * SIMPLE, 0),
    "both_ways": (lambda x: kl.Bidirectional(kl.LSTM(U))(x), 2 * T * LSTM, 2 * T * 4 * U),
    "rnn": (lambda x: kl.RNN(kl.GRUCell(U, use_bias=False))(x), T * GRU, 0),
    "stacked": (
        lambda x: kl.RNN([kl.SimpleRNNCell(U), kl.LSTMCell(2)])(x),
        T * (SIMPLE + 4 * 2 * (U + 2)), T * (U + 4 * 2),
    ),
    "cell": (lambda x: kl.LSTMCell(U)(x[:, 0], [x[:, 1, :U], x[:, 2, :U]])[0], LSTM, 4 * U),
    "time_distributed": (lambda x: kl.TimeDistributed(kl.Dense(7))(x), T * N * 7, T * 7),
    "time_distributed_model": (
        lambda x: kl.TimeDistributed(shared_dense())(x), T * (N * 6 + 6 * 2), T * (6 + 2)
    ),
    "spectral": (lambda x: kl.SpectralNormalization(kl.Dense(7))(x), T * N * 7, T * 7),
    "einsum_dense": (
        lambda x: kl.EinsumDense("...c,cde->...de", (2, 6), bias_axes="de")(x),
        T * N * 2 * 6, T * 2 * 6,
    ),
    "multi_head": (
        lambda x: kl.MultiHeadAttention(2, 6, value_dim=7)(x, x),
        # projections of query and key, of value, back; scores and what they weigh
        T * N * 2 * (6 + 6 + 7) + T * 2 * 7 * N + 2 * T * T * (6 + 7),
        T * (2 * (6 + 6 + 7) + N),
    ),
    "multi_head_of_another": (
        lambda x: kl.MultiHeadAttention(2, 6, use_bias=False)(x, value=x[:, :3], key=x[:, 1:4]),
        2 * 6 * N * (T + 3 + 3 + T) + 2 * T * 3 * (6 + 6), 0,
    ),
    "grouped_query": (
        lambda x: kl.GroupQueryAttention(6, 4, 2, use_bias=False)(x, x),
        T * N * 6 * (4 + 2 + 2) + T * 4 * 6 * N + 4 * T * T * (6 + 6), 0,
    ),
    "attention": (lambda x: kl.Attention()([x, x[:, :3]]), T * 3 * (N + N), 0),
    "attention_concat": (
        lambda x: kl.Attention(score_mode="concat")([x, x[:, :3]]), T * 3 * N, 0
    ),
    "additive": (lambda x: kl.AdditiveAttention()([x, x]), T * T * (N + N), 0),
    "additive_unscaled": (lambda x: kl.AdditiveAttention(use_scale=False)([x, x]), T * T * N, 0),
    "dot": (lambda x: kl.Dot((2, 2))([x, x]), T * T * N, 0),
    "matmul": (lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))), T * T * N, 0),
    "matmul_constant": (lambda x: ops.matmul(np.ones((7, T), "float32"), x), 7 * T * N, 0),
    "einsum": (lambda x: ops.einsum("btc,bsc->bts", x, x), T * T * N, 0),
    "einsum_of_three": (
        lambda x: ops.einsum("btc,cd,de->bte", x, np.ones((N, 2)), np.ones((2, 9))),
        T * N * 2 + T * 2 * 9, 0,
    ),
    "einsum_elementwise": (lambda x: ops.einsum("btc,btc->btc", x, x), 0, 0),
    "tensordot": (lambda x: ops.tensordot(x, np.ones((N, 3, 2), "float32"), 1), T * N * 3 * 2, 0),
    "ops_dot": (lambda x: ops.dot(x, np.ones((N, 3), "float32")), T * N * 3, 0),
    "dot_product_attention": (
        lambda x: ops.dot_product_attention(*[ops.reshape(x, (-1, T, 2, N // 2))] * 3),
        2 * T * T * (N // 2 + N // 2), 0,
    ),
    "ops_conv": (lambda x: ops.conv(x, np.ones((3, N, 2), "float32")), 3 * N * 2 * (T - 2), 0),
    "pipeline": (
        lambda x: kl.Pipeline([kl.Dense(6), kl.Dropout(0.1), kl.Dense(2)])(x),
        T * (N * 6 + 6 * 2), T * (6 + 2),
    ),
    "spectrogram": (
        lambda x: kl.STFTSpectrogram("stft", 4, 2, 4, data_format="channels_first")(x),
        T * 1 * 2 * 4 * 3, 0,  # one frame of four samples, real and imaginary, three frequencies
    ),
    "masking": (lambda x: ops.tril(kl.Masking()(x)), 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", ON_SEQUENCES)
def test_on_sequences(case):
    make, macs, additions = ON_SEQUENCES[case]
    found = profile(model_of(make, sequence()))
    assert not found.uncounted
    assert (found.total.macs, found.total.flops) == (macs, 2 * macs + additions)


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (kl.ConvLSTM1D(U, 3, strides=2), (T, 9, N), T * 4 * 4 * U * 3 * (N + U)),
        (kl.ConvLSTM2D(U, 3, return_sequences=True), (T, 6, 7, N), T * 20 * 4 * U * 9 * (N + U)),
        (
            kl.ConvLSTM2D(U, 3, padding="same", data_format="channels_first"), (T, N, 6, 7),
            T * 42 * 4 * U * 9 * (N + U),
        ),
        (kl.ConvLSTM3D(U, 2), (2, 3, 4, 5, 1), 2 * 2 * 3 * 4 * 4 * U * 8 * (1 + U)),
        (kl.TimeDistributed(kl.Conv2D(U, 3)), (T, 6, 7, N), T * 20 * 9 * N * U),
        (
            kl.Bidirectional(kl.ConvLSTM1D(U, 3, use_bias=False)), (T, 9, N),
            2 * T * 7 * 4 * U * 3 * (N + U),
        ),
    ],
    ids=["ConvLSTM1D", "ConvLSTM2D", "channels_first", "ConvLSTM3D", "each_frame", "both_ways"],
)  # fmt: skip
def test_on_sequences_of_images(layer, shape, macs):
    found = profile(model_of(layer, keras.Input(shape)))
    assert (found.total.macs, dict(found.uncounted)) == (macs, {})


def in_windows(x, dense):
    """A Dense on each window of 2 x 3 of an image of 4 x 6, the windows folded into the batch."""
    rows = ops.reshape(
        ops.transpose(ops.reshape(x, (-1, 2, 2, 2, 3, N)), (0, 1, 3, 2, 4, 5)), (-1, 6, N)
    )
    return ops.reshape(dense(rows), (-1, 4, 6, U))


@pytest.mark.parametrize("shape", [{"shape": (4, 6, N)}, {"batch_shape": (5, 4, 6, N)}])
def test_what_is_folded_into_the_batch(shape):
    inputs = keras.Input(**shape)
    model = keras.Model(inputs, in_windows(inputs, kl.Dense(U, name="windows")))
    found = profile(model).total
    assert (found.macs, found.flops) == (24 * N * U, 2 * 24 * N * U + 24 * U)
    assert profile(model, "lenet").total.macs == 24 * N * U
    outer = keras.Input(**shape)
    nested = keras.Model(outer, kl.Conv2D(2, 1, use_bias=False)(model(outer)))
    assert profile(nested).total.macs == 24 * N * U + 24 * U * 2
    graph = ChannelGraph(nested)
    assert CutCosts(graph).macs({}) == 24 * N * U + 24 * U * 2
    np.testing.assert_array_equal(channel_macs(graph)["windows"], [24 * (N + 2)] * U)


@pytest.mark.parametrize("examples", [2, 3, 8, 24])
def test_several_examples_in_a_row_and_back(examples):
    inputs = keras.Input((N,))
    together = ops.reshape(inputs, (-1, examples * N))
    back = ops.reshape(kl.Dense(examples * U, use_bias=False)(together), (-1, U))
    model = keras.Model(inputs, kl.Dense(7, use_bias=False)(back))
    assert profile(model).total.macs == N * examples * U + U * 7


def test_what_is_of_no_example():
    inputs = keras.Input((T, N))
    table = kl.Lambda(lambda x: ops.ones((T, 7)))(inputs)
    x = inputs + kl.Dense(N, use_bias=False)(table)
    model = keras.Model(inputs, kl.Dense(U, use_bias=False)(x))
    assert profile(model).total.macs == T * 7 * N + T * N * U


def test_a_nested_model_called_on_few_and_on_many_rows():
    frame = keras.Input((N,))
    encoder = keras.Model(frame, kl.Dense(U, use_bias=False)(frame))
    one, many = keras.Input((N,)), keras.Input((T, N))
    found = encoder(one), encoder(ops.reshape(many, (-1, N)))
    ends = [kl.Dense(width, use_bias=False)(x) for width, x in zip((2, 7), found, strict=True)]
    total = N * U + U * 2 + T * (N * U + U * 7)
    assert profile(keras.Model([one, many], ends)).total.macs == total
    assert profile(keras.Model([one, many], ends[::-1])).total.macs == total


@pytest.mark.parametrize("outside", [None, 4])
def test_a_nested_model_of_another_batch(outside):
    fixed = keras.Input(batch_shape=(8, N))
    inner = keras.Model(fixed, kl.Dense(U, use_bias=False)(fixed))
    inputs = keras.Input(batch_shape=(outside, N))
    model = keras.Model(inputs, kl.Dense(2, use_bias=False)(inner(inputs)))
    assert profile(model).total.macs == N * U + U * 2


def test_what_no_batch_of_any_size_can_tell_is_not_counted():
    inputs = keras.Input((N,))
    x = kl.Dense(U, use_bias=False, name="known")(inputs)
    x = kl.Dense(2, name="unknown")(ops.reshape(x, (8, U)))
    found = profile(keras.Model(inputs, x))
    assert found.total.macs == N * U
    assert "how many rows" in found.uncounted["unknown"]


def test_attention_over_some_axes():
    image = keras.Input((6, T, N))
    layer = kl.MultiHeadAttention(2, 3, attention_axes=(2,), use_bias=False)
    each_row = 4 * T * N * 2 * 3 + 2 * T * T * (3 + 3)
    assert profile(model_of(lambda x: layer(x, x), image)).total.macs == 6 * each_row


def test_in_a_nested_model_of_open_length():
    inner = keras.Sequential([keras.Input((None, N)), kl.LSTM(U, return_sequences=True)])
    other = keras.Input((None, N))
    attending = keras.Model(other, kl.MultiHeadAttention(1, 2, use_bias=False)(other, other))
    found = profile(model_of(lambda x: (inner(x), attending(x)), sequence()))
    assert found.total.macs == T * LSTM + 4 * T * N * 2 + T * T * (2 + 2)


@pytest.mark.skipif(not hasattr(kl, "ReversibleEmbedding"), reason="a newer layer of Keras")
@pytest.mark.parametrize("tied", [True, False])
def test_an_embedding_and_back(tied):
    table = kl.ReversibleEmbedding(9, N, tie_weights=tied)
    tokens = keras.Input((T,), dtype="int32")
    assert (
        profile(model_of(lambda x: table(table(x), reverse=True), tokens)).total.macs == T * N * 9
    )


def test_zero_weights_of_a_sequence_cost_nothing_in_the_lenet_convention():
    lstm = kl.LSTM(U)
    attention = kl.MultiHeadAttention(1, 2, use_bias=False)
    model = model_of(lambda x: (lstm(x), attention(x, x), kl.Attention()([x, x])), sequence())
    lstm.set_weights([np.zeros((N, 4 * U)), *lstm.get_weights()[1:]])
    attention.set_weights([np.zeros((N, 1, 2)), *attention.get_weights()[1:]])
    rows = [row.macs for row in profile(model, "lenet").layers]
    assert sorted(rows) == sorted([T * 4 * U * U, 3 * T * N * 2 + T * T * (2 + 2), T * T * (N + N)])


@keras.saving.register_keras_serializable("tests")
class OwnCell(kl.Layer):
    state_size = U

    def call(self, x, states):
        return states[0] + x[:, :U], [states[0]]


def test_a_cell_of_ones_own_cannot_be_counted():
    found = profile(model_of(lambda x: kl.RNN(OwnCell(), name="own")(x), sequence()))
    assert found.uncounted == {"own": "no rule for the layer OwnCell"}
    assert "at least 0" in str(found)
