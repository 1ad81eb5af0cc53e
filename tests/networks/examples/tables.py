"""Series in time, tables, ratings, graphs, actions."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import example, serializable


@example(
    {"one_attention/heads": 2, "one_attention/value": 6, "one_conv": 4,
     "two_attention/heads": 2, "two_attention/value": 6, "two_conv": 4, "mlp": 10},
    admitted={},
)  # fmt: skip
def timeseries_transformer():
    """The series itself, one channel, is the residual stream."""
    x = i = keras.Input((16, 1))
    for name in ("one", "two"):
        y = kl.MultiHeadAttention(2, 6, dropout=0.1, name=f"{name}_attention")(x, x)
        y = kl.LayerNormalization(epsilon=1e-6)(kl.Dropout(0.1)(y))
        x = y + x
        y = kl.Conv1D(4, kernel_size=1, activation="relu", name=f"{name}_conv")(x)
        y = kl.Conv1D(filters=x.shape[-1], kernel_size=1)(kl.Dropout(0.1)(y))
        x = kl.LayerNormalization(epsilon=1e-6)(y) + x
    x = kl.GlobalAveragePooling1D(data_format="channels_last")(x)
    x = kl.Dropout(0.1)(kl.Dense(10, activation="relu", name="mlp")(x))
    return keras.Model(i, kl.Dense(3, activation="softmax")(x))


@example({"conv_0": 8, "conv_1": 8, "conv_2": 8})
def timeseries_convnet():
    x = i = keras.Input((16, 1))
    for number in range(3):
        x = kl.Conv1D(filters=8, kernel_size=3, padding="same", name=f"conv_{number}")(x)
        x = kl.ReLU()(kl.BatchNormalization()(x))
    return keras.Model(i, kl.Dense(3, activation="softmax")(kl.GlobalAveragePooling1D()(x)))


@example({"first": 6, "filter_1": 8, "filter_2": 8, "skip_1": 7, "last": 5})
def wave_net():
    """Dilated and causal convolutions, gates, paths beside that are summed."""
    i = keras.Input((24, 1))
    x, skips = kl.Conv1D(6, 2, padding="causal", name="first")(i), []
    for rate in (1, 2):
        options = {"padding": "causal", "dilation_rate": rate}
        kept = kl.Conv1D(8, 2, activation="tanh", name=f"filter_{rate}", **options)(x)
        gate = kl.Conv1D(8, 2, activation="sigmoid", name=f"gate_{rate}", **options)(x)
        z = kl.Multiply()([kept, gate])
        skips.append(kl.Conv1D(7, 1, name=f"skip_{rate}")(z))
        x = kl.Add()([x, kl.Conv1D(6, 1, name=f"residual_{rate}")(z)])
    x = kl.Activation("relu")(kl.Add()(skips))
    x = kl.Conv1D(5, 1, activation="relu", name="last")(x)
    return keras.Model(i, kl.Conv1D(4, 1, activation="softmax")(x))


@example({"down_1": 8, "down_2": 6, "up_1": 6, "up_2": 8})
def anomaly_autoencoder():
    return keras.Sequential([
        keras.Input((24, 1)),
        kl.Conv1D(8, 7, padding="same", strides=2, activation="relu", name="down_1"),
        kl.Dropout(0.2),
        kl.Conv1D(6, 7, padding="same", strides=2, activation="relu", name="down_2"),
        kl.Conv1DTranspose(6, 7, padding="same", strides=2, activation="relu", name="up_1"),
        kl.Dropout(0.2),
        kl.Conv1DTranspose(8, 7, padding="same", strides=2, activation="relu", name="up_2"),
        kl.Conv1DTranspose(1, 7, padding="same"),
    ])  # fmt: skip


@example({"lstm_1": 6, "lstm_2": 5, "lstm_3": 4})
def next_frame():
    x = i = keras.Input((None, 10, 10, 1))
    for number, (filters, size) in enumerate(((6, 5), (5, 3), (4, 1)), 1):
        x = kl.ConvLSTM2D(
            filters, size, padding="same", return_sequences=True, activation="relu",
            name=f"lstm_{number}",
        )(x)  # fmt: skip
        x = kl.BatchNormalization()(x) if number < 3 else x
    return keras.Model(i, kl.Conv3D(1, (3, 3, 3), activation="sigmoid", padding="same")(x))


@example({"conv_1": 6, "conv_2": 6, "gru_1/forward": 8, "gru_2/forward": 8, "wide": 10})
def speech_recognition():
    """DeepSpeech 2: the spectrum is two-dimensional first, a sequence then."""
    i = keras.Input((None, 16))
    x = kl.Reshape((-1, 16, 1))(i)
    options = {"padding": "same", "use_bias": False}
    x = kl.ReLU()(
        kl.BatchNormalization()(kl.Conv2D(6, (5, 7), (2, 2), name="conv_1", **options)(x))
    )
    x = kl.ReLU()(
        kl.BatchNormalization()(kl.Conv2D(6, (5, 5), (1, 2), name="conv_2", **options)(x))
    )
    x = kl.Reshape((-1, x.shape[-2] * x.shape[-1]))(x)
    for number in (1, 2):
        gru = kl.GRU(8, return_sequences=True, reset_after=True)
        x = kl.Bidirectional(gru, name=f"gru_{number}", merge_mode="concat")(x)
    x = kl.Dropout(0.5)(kl.ReLU()(kl.Dense(10, name="wide")(x)))
    return keras.Model(i, kl.Dense(7, activation="softmax")(x))


@example({"one_a": 6, "one_b": 6, "two_a": 8, "two_b": 8, "wide": 9})
def speaker_recognition():
    i = keras.Input((32, 1))
    x = i
    for name, filters in (("one", 6), ("two", 8)):
        beside = kl.Conv1D(filters, 1, padding="same", name=f"{name}_beside")(x)
        x = kl.Conv1D(filters, 3, padding="same", activation="relu", name=f"{name}_a")(x)
        x = kl.Conv1D(filters, 3, padding="same", name=f"{name}_b")(x)
        x = kl.MaxPool1D(pool_size=2, strides=2)(kl.Activation("relu")(kl.Add()([x, beside])))
    x = kl.Flatten()(kl.AveragePooling1D(pool_size=3, strides=3)(x))
    return keras.Model(i, kl.Dense(5, activation="softmax")(kl.Dense(9, name="wide")(x)))


@serializable
class Recommender(keras.Model):
    """A product of two vectors and two offsets."""

    def __init__(self, users, films, width, **options):
        super().__init__(**options)
        self.user = kl.Embedding(users, width, name="user")
        self.user_bias = kl.Embedding(users, 1)
        self.film = kl.Embedding(films, width, name="film")
        self.film_bias = kl.Embedding(films, 1)

    def call(self, inputs):
        user, film = inputs[:, 0], inputs[:, 1]
        product = ops.sum(self.user(user) * self.film(film), axis=1, keepdims=True)
        return ops.nn.sigmoid(product + self.user_bias(user) + self.film_bias(film))


@example({}, stays={"sum": "statistic"})
def collaborative_filtering():
    """A sum of products, whose factors nothing silences."""
    model = Recommender(6, 7, 8, name="recommender")
    model(np.zeros((2, 2), "int32"))
    return model


@example({"target": 8})
def node_to_vector():
    """Two embeddings that meet in a product."""
    target, context = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    x = kl.Embedding(9, 8, name="target")(target)
    y = kl.Embedding(9, 8, name="context")(context)
    x = kl.Dot(axes=1, normalize=False, name="similarity")([x, y])
    return keras.Model([target, context], x)


@example({"user": 6, "film": 6, "deep_0": 10, "deep_1": 8})
def neural_collaborative_filtering():
    user, film = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    x = kl.Flatten()(kl.Embedding(6, 6, name="user")(user))
    y = kl.Flatten()(kl.Embedding(7, 6, name="film")(film))
    x = kl.Concatenate()([x, y])
    for number, units in enumerate((10, 8)):
        x = kl.Dropout(0.2)(kl.Dense(units, activation="relu", name=f"deep_{number}")(x))
    return keras.Model([user, film], kl.Dense(1, activation="sigmoid")(x))


@example({"deep": 10})
def wide_deep_and_cross():
    """Each cross multiplies with the features themselves, which stay."""
    i = keras.Input((8,))
    deep = kl.BatchNormalization()(i)
    deep = kl.Dropout(0.1)(kl.ReLU()(kl.BatchNormalization()(kl.Dense(10, name="deep")(deep))))
    start = cross = kl.BatchNormalization()(i)
    for number in range(2):
        cross = start * kl.Dense(8, name=f"cross_{number}")(cross) + cross
    return keras.Model(i, kl.Dense(3, activation="softmax")(kl.concatenate([cross, deep])))


@serializable
class GatedLinearUnit(kl.Layer):
    """A linear map with a gate."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.linear = kl.Dense(units, name="linear")
        self.sigmoid = kl.Dense(units, activation="sigmoid", name="gate")

    def call(self, x):
        return self.linear(x) * self.sigmoid(x)

    def get_config(self):
        return super().get_config() | {"units": self.units}


@serializable
class GatedResidual(kl.Layer):
    """Two dense layers, a gate, the input beside, a norm."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.elu = kl.Dense(units, activation="elu", name="elu")
        self.linear, self.dropout = kl.Dense(units, name="wide"), kl.Dropout(0.1)
        self.gate = GatedLinearUnit(units, name="glu")
        self.norm, self.project = kl.LayerNormalization(), kl.Dense(units, name="project")

    def call(self, inputs):
        x = self.gate(self.dropout(self.linear(self.elu(inputs))))
        if inputs.shape[-1] != self.units:
            inputs = self.project(inputs)
        return self.norm(inputs + x)

    def get_config(self):
        return super().get_config() | {"units": self.units}


@serializable
class VariableSelection(kl.Layer):
    """Each feature in a network of its own; a softmax says how much it counts."""

    def __init__(self, features, units, **options):
        super().__init__(**options)
        self.features, self.units = features, units
        self.each = [GatedResidual(units, name=f"feature_{n}") for n in range(features)]
        self.joint = GatedResidual(units, name="joint")
        self.softmax = kl.Dense(features, activation="softmax", name="softmax")

    def call(self, inputs):
        weights = self.softmax(self.joint(kl.concatenate(inputs)))
        x = ops.stack([net(x) for net, x in zip(self.each, inputs, strict=True)], axis=1)
        return ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), x), axis=1)

    def get_config(self):
        return super().get_config() | {"features": self.features, "units": self.units}


@example(
    {"embedding": 5, "encoded": 4,
     "selection_feature_0_elu": 6, "selection_feature_0_wide": 6,
     "selection_feature_1_elu": 6, "selection_feature_1_wide": 6,
     "selection_joint_elu": 6, "selection_joint_wide": 6},
    admitted={"selection_feature_0_project": 6, "selection_joint_project": 6},
)  # fmt: skip
def gated_variable_selection():
    word, number = keras.Input((), dtype="int32"), keras.Input((1,))
    features = [kl.Embedding(7, 5, name="embedding")(word), kl.Dense(4, name="encoded")(number)]
    x = VariableSelection(2, 6, name="selection")(features)
    return keras.Model([word, number], kl.Dense(1, activation="sigmoid")(x))


@example(
    {"attention/heads": 2, "attention/value": 8, "ffn_0": 8, "deep": 10},
    admitted={"column_0": 8},
)
def tab_transformer():
    """Each column has an embedding; attention among columns."""
    numbers = keras.Input((3,))
    words = [keras.Input((), dtype="int32") for _ in range(3)]
    columns = [kl.Embedding(6, 8, name=f"column_{n}")(word) for n, word in enumerate(words)]
    x = ops.stack(columns, axis=1) + kl.Embedding(3, 8, name="index")(ops.arange(3))
    y = kl.MultiHeadAttention(2, 8, dropout=0.1, name="attention")(x, x)
    x = kl.LayerNormalization(epsilon=1e-6)(kl.Add()([y, x]))
    y = kl.Dense(8, activation="gelu", name="ffn_0")(x)
    x = kl.LayerNormalization(epsilon=1e-6)(kl.Add()([kl.Dense(8)(y), x]))
    x = kl.concatenate([kl.Flatten()(x), kl.LayerNormalization(epsilon=1e-6)(numbers)])
    x = kl.BatchNormalization()(x)
    x = kl.Dense(10, activation="selu", name="deep")(x)
    return keras.Model([*words, numbers], kl.Dense(1, activation="sigmoid")(x))


def adjacency(nodes):
    """Who is the neighbour of whom, each row of the matrix normalised."""
    near = np.random.default_rng(3).uniform(size=(nodes, nodes)) < 0.4
    near = (near | near.T | np.eye(nodes, dtype=bool)).astype("float32")
    return near / near.sum(axis=1, keepdims=True)


@serializable
class GraphConv(kl.Layer):
    """Traffic: what neighbours send, and what a node has itself, side by side."""

    def __init__(self, units, nodes, **options):
        super().__init__(**options)
        self.units, self.nodes = units, nodes
        self.near = adjacency(nodes)

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), name="kernel")

    def call(self, x):
        own = ops.matmul(x, self.kernel)
        sent = ops.matmul(ops.matmul(ops.convert_to_tensor(self.near), x), self.kernel)
        return ops.relu(ops.concatenate([own, sent], axis=-1))

    def get_config(self):
        return super().get_config() | {"units": self.units, "nodes": self.nodes}


@example({"graph_1": 6, "graph_2": 8, "lstm": 10})
def traffic_forecasting():
    """A graph convolution at each time, then a recurrent layer for each node."""
    i = keras.Input((4, 5, 2))
    x = GraphConv(8, 5, name="graph_2")(GraphConv(6, 5, name="graph_1")(i))
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, 4, 16))
    x = kl.Dense(3, name="horizon")(kl.LSTM(10, activation="relu", name="lstm")(x))
    return keras.Model(i, ops.transpose(ops.reshape(x, (-1, 5, 3)), (0, 2, 1)))


@serializable
class GraphAttention(kl.Layer):
    """GAT: neighbours count by what two vectors say of both."""

    def __init__(self, units, nodes, **options):
        super().__init__(**options)
        self.units, self.nodes = units, nodes
        self.near = adjacency(nodes) > 0

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), name="kernel")
        self.sends = self.add_weight((self.units, 1), name="sends")
        self.takes = self.add_weight((self.units, 1), name="takes")

    def call(self, x):
        x = ops.matmul(x, self.kernel)
        scores = ops.matmul(x, self.takes) + ops.transpose(ops.matmul(x, self.sends), (0, 2, 1))
        scores = ops.where(self.near, ops.leaky_relu(scores), -1e9)
        return ops.matmul(ops.softmax(scores, axis=-1), x)

    def get_config(self):
        return super().get_config() | {"units": self.units, "nodes": self.nodes}


@example({"pre": 8, "head_0": 6, "head_1": 6, "out": 7})
def graph_attention():
    i = keras.Input((5, 4))
    x = kl.Dense(8, activation="relu", name="pre")(i)
    heads = [GraphAttention(6, 5, name=f"head_{n}")(x) for n in range(2)]
    x = keras.activations.relu(kl.Concatenate()(heads))
    x = GraphAttention(7, 5, name="out")(x)
    return keras.Model(i, kl.Dense(3, name="classes")(x))


@serializable
class RelationalConv(kl.Layer):
    """R-GCN: one kernel for each kind of bond."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shapes):
        (_, bonds, *_), (*_, width) = shapes
        self.kernel = self.add_weight((bonds, width, self.units), name="kernel")
        self.bias = self.add_weight((bonds, 1, self.units), name="bias")

    def call(self, inputs):
        bonds, atoms = inputs
        x = ops.matmul(bonds, atoms[:, None])
        x = ops.matmul(x, self.kernel) + self.bias
        return ops.relu(ops.sum(x, axis=1))

    def get_config(self):
        return super().get_config() | {"units": self.units}


@example({"conv_1": 8, "conv_2": 6, "wide": 7})
def molecules():
    """The graph is an input, too."""
    bonds, atoms = keras.Input((3, 5, 5)), keras.Input((5, 4))
    x = RelationalConv(8, name="conv_1")([bonds, atoms])
    x = RelationalConv(6, name="conv_2")([bonds, x])
    x = kl.Dropout(0.1)(kl.Dense(7, activation="relu", name="wide")(kl.GlobalAveragePooling1D()(x)))
    return keras.Model([bonds, atoms], kl.Dense(1)(x))


@example({"common": 10})
def actor_critic():
    i = keras.Input((4,))
    common = kl.Dense(10, activation="relu", name="common")(i)
    return keras.Model(i, [kl.Dense(2, activation="softmax")(common), kl.Dense(1)(common)])


@example({"conv_1": 6, "conv_2": 8, "wide": 10})
def deep_q_network():
    """Frames as channels, brought to their place first."""
    return keras.Sequential([
        keras.Input((4, 16, 16)),
        kl.Lambda(channels_last, output_shape=(16, 16, 4)),
        kl.Conv2D(6, 4, strides=2, activation="relu", name="conv_1"),
        kl.Conv2D(8, 3, strides=1, activation="relu", name="conv_2"), kl.Flatten(),
        kl.Dense(10, activation="relu", name="wide"), kl.Dense(4, activation="linear"),
    ])  # fmt: skip


@serializable
def channels_last(tensor):
    return ops.transpose(tensor, [0, 2, 3, 1])


@example({"state_1": 6, "state_2": 8, "action": 8, "out": 10})
def critic_of_ddpg():
    state, action = keras.Input((3,)), keras.Input((1,))
    x = kl.Dense(6, activation="relu", name="state_1")(state)
    x = kl.Dense(8, activation="relu", name="state_2")(x)
    y = kl.Dense(8, activation="relu", name="action")(action)
    x = kl.Dense(10, activation="relu", name="out")(kl.Concatenate()([x, y]))
    return keras.Model([state, action], kl.Dense(1)(x))
