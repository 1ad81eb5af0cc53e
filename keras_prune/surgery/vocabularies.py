"""What lookups learned by adapting: neither their config nor a weight holds it."""

from __future__ import annotations

import keras

from keras_prune.graph.calls import sublayers


def hand_over_vocabularies(old: keras.Operation, new: keras.Operation) -> None:
    """Teaches the lookups of a layer that was made from a config what the original's know.

    Args:
        old: the original; lookups may also be inside it.
        new: the layer from its config.
    """
    for known, blank in zip(_lookups(old), _lookups(new), strict=False):
        if known.input_vocabulary is None and known.vocabulary_size() > 0:
            weighted = known.output_mode == "tf_idf"
            weights = known.idf_weights_const.numpy() if weighted else None
            blank.set_vocabulary(known.get_vocabulary(), idf_weights=weights)


def _lookups(operation: keras.Operation) -> list[keras.Layer]:
    """The lookups among an operation and its layers; a TextVectorization holds one."""
    kinds = keras.layers.StringLookup | keras.layers.IntegerLookup
    return [layer for layer in sublayers(operation) if isinstance(layer, kinds)]
