"""What a model costs: parameters, MACs, FLOPs and bytes, layer by layer."""

from keras_prune.profiling.conventions import available
from keras_prune.profiling.model_comparison import Change, Comparison, compare
from keras_prune.profiling.model_profile import Cost, LayerProfile, Profile, profile

__all__ = [
    "Change",
    "Comparison",
    "Cost",
    "LayerProfile",
    "Profile",
    "available",
    "compare",
    "profile",
]
