"""A file for sparse models that is as small as what is in them."""

from keras_prune.packing.container import Packed, pack, unpack

__all__ = ["Packed", "pack", "unpack"]
