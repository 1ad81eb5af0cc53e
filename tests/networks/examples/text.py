"""Words: classification, translation, language models, captions."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import example, serializable

WORDS, LENGTH = 20, 12
NORMS_INSIDE = "it computes a statistic over channels"
"""Of a layer that stays in part: no norm inside it is admitted, nor heads of two attentions."""


@serializable
class TokenAndPlace(kl.Layer):
    """An embedding of the word and one of its place."""

    def __init__(self, longest, words, width, **options):
        super().__init__(**options)
        self.sizes = {"longest": longest, "words": words, "width": width}
        self.tokens = kl.Embedding(words, width, name="tokens")
        self.places = kl.Embedding(longest, width, name="places")

    def call(self, x):
        places = self.places(ops.arange(0, ops.shape(x)[-1], 1))
        return self.tokens(x) + places

    def get_config(self):
        return super().get_config() | self.sizes


def feed_forward(width, hidden):
    """Two dense layers on each word."""
    return keras.Sequential([kl.Dense(hidden, activation="relu", name="hidden"), kl.Dense(width)])


def causal(batch, length):
    """A mask by which no word sees those behind it."""
    i, j = ops.arange(length)[:, None], ops.arange(length)
    mask = ops.reshape(ops.cast(i >= j, "int32"), (1, length, length))
    return ops.broadcast_to(mask, (batch, length, length))


@serializable
class TransformerBlock(kl.Layer):
    """Attention and two dense layers, norms behind."""

    def __init__(self, width, heads, hidden, causal=False, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "heads": heads, "hidden": hidden, "causal": causal}
        self.att = kl.MultiHeadAttention(heads, width, name="attention")
        self.ffn = keras.Sequential(
            [kl.Dense(hidden, activation="relu", name="hidden"), kl.Dense(width)], name="ffn"
        )
        self.norm_1 = kl.LayerNormalization(epsilon=1e-6)
        self.norm_2 = kl.LayerNormalization(epsilon=1e-6)
        self.drop_1, self.drop_2 = kl.Dropout(0.1), kl.Dropout(0.1)

    def call(self, x):
        if self.sizes["causal"]:
            batch, length, _ = ops.shape(x)
            seen = self.att(x, x, attention_mask=causal(batch, length))
        else:
            seen = self.att(x, x)
        x = self.norm_1(x + self.drop_1(seen))
        return self.norm_2(x + self.drop_2(self.ffn(x)))

    def get_config(self):
        return super().get_config() | self.sizes


@example({"embedding": 8, "conv_1": 10, "conv_2": 10, "wide": 9})
def text_classification_from_scratch():
    i = keras.Input((24,), dtype="int64")
    x = kl.Dropout(0.5)(kl.Embedding(WORDS, 8, name="embedding")(i))
    x = kl.Conv1D(10, 5, padding="valid", activation="relu", strides=2, name="conv_1")(x)
    x = kl.Conv1D(10, 5, padding="valid", activation="relu", strides=2, name="conv_2")(x)
    x = kl.Dense(9, activation="relu", name="wide")(kl.GlobalMaxPooling1D()(x))
    return keras.Model(i, kl.Dense(1, activation="sigmoid")(kl.Dropout(0.5)(x)))


@example(
    {"attention/heads": 2, "attention/value": 8, "hidden": 12, "wide": 9},
    admitted={"embedding/tokens": 8},
)
def text_classification_with_transformer():
    i = keras.Input((LENGTH,))
    x = TokenAndPlace(LENGTH, WORDS, 8, name="embedding")(i)
    x = TransformerBlock(8, 2, 12, name="block")(x)
    x = kl.Dropout(0.1)(kl.GlobalAveragePooling1D()(x))
    x = kl.Dropout(0.1)(kl.Dense(9, activation="relu", name="wide")(x))
    return keras.Model(i, kl.Dense(2, activation="softmax")(x))


@example({"block/heads": 2, "block/hidden": 12}, admitted={}, stays={"block": NORMS_INSIDE})
def miniature_gpt():
    """Two outputs: the words, and the vectors they are made from, which stay."""
    i = keras.Input((LENGTH,), dtype="int32")
    x = TokenAndPlace(LENGTH, WORDS, 8, name="embedding")(i)
    x = TransformerBlock(8, 2, 12, causal=True, name="block")(x)
    return keras.Model(i, [kl.Dense(WORDS)(x), x])


@example({"embedding": 8, "lstm_1/forward": 6, "lstm_2/forward": 5})
def bidirectional_lstm():
    i = keras.Input((None,), dtype="int32")
    x = kl.Embedding(WORDS, 8, name="embedding")(i)
    x = kl.Bidirectional(kl.LSTM(6, return_sequences=True), name="lstm_1")(x)
    x = kl.Bidirectional(kl.LSTM(5), name="lstm_2")(x)
    return keras.Model(i, kl.Dense(1, activation="sigmoid")(x))


@example({"embedding": 8, "lstm": 6})
def masked_lstm():
    """The embedding says which words there are."""
    i = keras.Input((LENGTH,), dtype="int32")
    x = kl.Embedding(WORDS, 8, mask_zero=True, name="embedding")(i)
    x = kl.LSTM(6, name="lstm")(x)
    return keras.Model(i, kl.Dense(1, activation="sigmoid")(x))


@example({"encoder": 10})
def sequence_to_sequence():
    """The decoder starts with the encoder's states: units of both are one."""
    told, asked = keras.Input((None, 6)), keras.Input((None, 7))
    _, *states = kl.LSTM(10, return_state=True, name="encoder")(told)
    x, _, _ = kl.LSTM(10, return_sequences=True, return_state=True, name="decoder")(
        asked, initial_state=states
    )
    return keras.Model([told, asked], kl.Dense(7, activation="softmax", name="letters")(x))


@example({"encoder": 10, "decoder": 9})
def addition_of_numbers():
    return keras.Sequential([
        keras.Input((7, 6)), kl.LSTM(10, name="encoder"), kl.RepeatVector(4),
        kl.LSTM(9, return_sequences=True, name="decoder"), kl.Dense(6, activation="softmax"),
    ])  # fmt: skip


@serializable
class MaskingEmbedding(kl.Layer):
    """The embedding of a translator: it tells what are no words."""

    def __init__(self, longest, words, width, **options):
        super().__init__(**options)
        self.sizes = {"longest": longest, "words": words, "width": width}
        self.tokens = kl.Embedding(words, width, name="tokens")
        self.places = kl.Embedding(longest, width, name="places")

    def call(self, x):
        return self.tokens(x) + self.places(ops.arange(0, ops.shape(x)[-1], 1))

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def get_config(self):
        return super().get_config() | self.sizes


@serializable
class Encoder(kl.Layer):
    """Attention of a sentence to itself; padding is not seen."""

    def __init__(self, width, hidden, heads, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "hidden": hidden, "heads": heads}
        self.attention = kl.MultiHeadAttention(heads, width, name="own")
        self.dense = feed_forward(width, hidden)
        self.norm_1, self.norm_2 = kl.LayerNormalization(), kl.LayerNormalization()
        self.supports_masking = True

    def call(self, x, mask=None):
        padding = ops.cast(mask[:, None, :], "int32") if mask is not None else None
        x = self.norm_1(x + self.attention(x, x, x, attention_mask=padding))
        return self.norm_2(x + self.dense(x))

    def get_config(self):
        return super().get_config() | self.sizes


@serializable
class Decoder(kl.Layer):
    """Attention to the words before and to the other sentence."""

    def __init__(self, width, hidden, heads, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "hidden": hidden, "heads": heads}
        self.own = kl.MultiHeadAttention(heads, width, name="own")
        self.cross = kl.MultiHeadAttention(heads, width, name="cross")
        self.dense = feed_forward(width, hidden)
        self.norms = [kl.LayerNormalization() for _ in range(3)]
        self.supports_masking = True

    def call(self, inputs, mask=None):
        x, told = inputs
        _, seen = mask or (None, None)
        seen = None if seen is None else ops.cast(seen[:, None, :], "int32")
        x = self.norms[0](x + self.own(x, x, x, use_causal_mask=True))
        x = self.norms[1](x + self.cross(x, told, told, attention_mask=seen))
        return self.norms[2](x + self.dense(x))

    def get_config(self):
        return super().get_config() | self.sizes


def translation(embedding):
    told, asked = keras.Input((LENGTH,), dtype="int64"), keras.Input((LENGTH,), dtype="int64")
    x = Encoder(8, 12, 2, name="encoder")(embedding(LENGTH, WORDS, 8, name="told")(told))
    y = embedding(LENGTH, WORDS, 8, name="asked")(asked)
    y = kl.Dropout(0.5)(Decoder(8, 10, 2, name="decoder")([y, x]))
    return keras.Model([told, asked], kl.Dense(WORDS, activation="softmax")(y))


LEAVES_TRANSLATION = {
    "encoder_own/heads": 2, "encoder_own/value": 8, "sequential/hidden": 12,
    "decoder_own/heads": 2, "decoder_own/value": 8, "cross/heads": 2, "cross/value": 8,
    "sequential_1/hidden": 10,
}  # fmt: skip


@example(LEAVES_TRANSLATION, admitted={"told/tokens": 8, "asked/tokens": 8})
def translation_with_transformer():
    return translation(TokenAndPlace)


@example(LEAVES_TRANSLATION)
def translation_with_masks():
    return translation(MaskingEmbedding)


@example(
    {"attention/heads": 2, "attention/value": 4, "wide": 12},
    admitted={"word_embedding": 8},
)
def masked_language_model():
    """BERT: waves for places, attention and dense layers by their names."""
    i = keras.Input((LENGTH,), dtype="int64")
    rates = 1 / 10000 ** (2 * (np.arange(8) // 2) / 8)
    angles = np.arange(LENGTH)[:, None] * rates
    angles[:, 0::2], angles[:, 1::2] = np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])
    x = kl.Embedding(WORDS, 8, name="word_embedding")(i) + angles.astype("float32")
    y = kl.MultiHeadAttention(2, 8 // 2, name="attention")(query=x, key=x, value=x)
    x = kl.LayerNormalization(epsilon=1e-6)(x + kl.Dropout(0.1)(y))
    y = keras.Sequential([kl.Dense(12, activation="relu", name="wide"), kl.Dense(8)])(x)
    x = kl.LayerNormalization(epsilon=1e-6)(x + kl.Dropout(0.1)(y))
    return keras.Model(i, kl.Dense(WORDS, name="mlm", activation="softmax")(x))


@serializable
class CaptionDecoder(kl.Layer):
    """Words see those before them, then the image; the layer makes the words, too."""

    def __init__(self, width, hidden, heads, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "hidden": hidden, "heads": heads}
        self.own = kl.MultiHeadAttention(heads, width, dropout=0.1, name="own")
        self.cross = kl.MultiHeadAttention(heads, width, dropout=0.1, name="cross")
        self.ffn_1 = kl.Dense(hidden, activation="relu", name="hidden")
        self.ffn_2 = kl.Dense(width)
        self.norms = [kl.LayerNormalization() for _ in range(3)]
        self.embedding = TokenAndPlace(LENGTH, WORDS, width, name="embedding")
        self.out = kl.Dense(WORDS, activation="softmax", name="words")
        self.dropout = kl.Dropout(0.3)

    def call(self, words, image, training=None):
        x = self.embedding(words)
        batch, length, _ = ops.shape(x)
        mask = causal(batch, length)
        seen = self.own(x, x, x, attention_mask=mask, training=training)
        x = self.norms[0](x + seen)
        y = self.norms[1](x + self.cross(x, image, image, training=training))
        hidden = self.dropout(self.ffn_1(y), training=training)
        return self.out(self.norms[2](self.ffn_2(hidden) + y))

    def get_config(self):
        return super().get_config() | self.sizes


@example(
    {"conv": 6, "decoder/hidden": 12},
    admitted={"projection": 7},
    stays={"decoder": NORMS_INSIDE},
)
def image_captioning():
    """Features of an image as keys and values of the words."""
    image, words = keras.Input((12, 12, 3)), keras.Input((LENGTH,), dtype="int32")
    x = kl.Conv2D(6, 3, strides=3, activation="relu", name="conv")(image)
    x = kl.Dense(7, activation="relu", name="projection")(kl.Reshape((-1, 6))(x))
    x = kl.LayerNormalization()(x)
    return keras.Model([image, words], CaptionDecoder(8, 12, 2, name="decoder")(words, x))


@serializable
class Router(kl.Layer):
    """Switch Transformer: each word goes to the one expert that is most sure, and is weighed."""

    def __init__(self, experts, width, hidden, **options):
        super().__init__(**options)
        self.sizes = {"experts": experts, "width": width, "hidden": hidden}
        self.route = kl.Dense(experts, name="route")
        self.experts = [feed_forward(width, hidden) for _ in range(experts)]

    def call(self, x):
        sure = ops.softmax(self.route(x), axis=-1)
        chosen = ops.one_hot(ops.argmax(sure, axis=-1), self.sizes["experts"])
        gates = ops.expand_dims(sure * chosen, -2)
        return ops.sum(ops.stack([e(x) for e in self.experts], axis=-1) * gates, axis=-1)

    def get_config(self):
        return super().get_config() | self.sizes


@example(
    {"embedding/tokens": 8, "sequential/hidden": 10, "sequential_1/hidden": 10},
    stays={"one_hot": "no rule", "softmax": "statistic"},
)
def mixture_of_experts():
    i = keras.Input((LENGTH,), dtype="int32")
    x = TokenAndPlace(LENGTH, WORDS, 8, name="embedding")(i)
    x = x + Router(2, 8, 10, name="switch")(x)
    return keras.Model(i, kl.Dense(2)(kl.GlobalAveragePooling1D()(x)))
