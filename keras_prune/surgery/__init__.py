"""Smaller models: cut channels out, or silence them, and see that nothing else changed."""

from keras_prune.surgery.dead_channels import without_dead
from keras_prune.surgery.pruning import Replay, prune, prune_graph
from keras_prune.surgery.silencing import masked_weights, silence

__all__ = ["Replay", "masked_weights", "prune", "prune_graph", "silence", "without_dead"]
