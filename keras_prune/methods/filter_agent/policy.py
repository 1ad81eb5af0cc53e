"""The policy network: a group's kernels in, one log-odds per filter out."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_prune.graph import ChannelGroup, Member, Role, channel_slices

layers = keras.layers

_CHANNELWISE_WIDTH = 4096  # longer filters are read in part: their norms say the rest


def policy_state(group: ChannelGroup) -> list[np.ndarray]:
    """What the policy reads of a group, for kernels of any shape.

    Returns:
        The filters of the group's producers, one row a channel, in units of their standard
        deviation, shape `(channels, fan-in, 1)`; and two standardised log-norms, of the filters and
        of the slices that read them, shape `(channels, 2)`.
    """
    made = _rows(group, group.by_role(Role.PRODUCER))
    read = _rows(group, group.silencers)
    norms = np.stack([_standard_log_norm(made), _standard_log_norm(read)], axis=1)
    rows = made[:, :_CHANNELWISE_WIDTH] / (made.std() + 1e-12)
    return [rows[..., None].astype("float32"), norms.astype("float32")]


def build_policy(state: list[np.ndarray], seed: int) -> keras.Model:
    """A network whose batch is the filters of a group.

    The filters are scanned by two strided convolutions and pooled, so that any fan-in fits. At the
    outset the log-odds are the sum of the two norms alone: small filters that are little read leave
    first. Learning starts from there.

    Args:
        state: what `policy_state` returns.
        seed: of the convolutions' weights.
    """
    started = [keras.initializers.GlorotUniform(seed + number) for number in range(3)]
    filters = keras.Input(state[0].shape[1:], name="filters")
    norms = keras.Input(state[1].shape[1:], name="norms")
    scan = {"kernel_size": 7, "strides": 4, "padding": "same", "activation": "relu"}
    x = layers.Conv1D(8, kernel_initializer=started[0], **scan)(filters)
    x = layers.Conv1D(16, kernel_initializer=started[1], **scan)(x)
    pooled = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), norms]
    x = layers.Dense(24, activation="relu", kernel_initializer=started[2])(
        layers.Concatenate()(pooled)
    )
    learned = layers.Dense(1, kernel_initializer="zeros", use_bias=False)(x)
    prior = layers.Dense(1, kernel_initializer="ones", use_bias=False)(norms)
    return keras.Model([filters, norms], layers.Add()([learned, prior]))


def _rows(group: ChannelGroup, members: Sequence[Member]) -> np.ndarray:
    """All slices a channel owns in some weights, end to end, shape `(channels, values)`."""
    return np.concatenate([channel_slices(group, member) for member in members], axis=1)


def _standard_log_norm(rows: np.ndarray) -> np.ndarray:
    norms = np.log(np.linalg.norm(rows, axis=1) + 1e-12)
    return (norms - norms.mean()) / (norms.std() + 1e-12)
