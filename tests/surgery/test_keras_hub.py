"""Backbones of KerasHub in small configurations: halved, exact, saved and loaded."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph, trace
from keras_prune.surgery import prune
from keras_prune.surgery.silencing import silence
from tests.surgery.invariant import assert_same, half_plan, outputs

keras_hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of masks that KerasHub destroys
]

TEXT = {"vocabulary_size": 20, "num_layers": 2, "hidden_dim": 8, "intermediate_dim": 12}
HEADS = {"num_heads": 2}
SHORT = {"max_sequence_length": 6}
GROUPED = {"num_query_heads": 4, "num_key_value_heads": 2}
PATCHES = {"image_shape": (16, 16, 3), "patch_size": 8, "num_layers": 2, "num_heads": 2}
MIT = {
    "layerwise_depths": [1, 1], "num_layers": 2, "layerwise_num_heads": [1, 2],
    "layerwise_sr_ratios": [2, 1], "max_drop_path_rate": 0.1, "layerwise_patch_sizes": [7, 3],
    "layerwise_strides": [4, 2], "image_shape": (32, 32, 3), "hidden_dims": [4, 8],
}  # fmt: skip
STAGES = {
    "input_conv_filters": [64], "input_conv_kernel_sizes": [3], "stackwise_num_filters": [64, 64],
    "stackwise_num_blocks": [1, 1], "stackwise_num_strides": [1, 2], "block_type": "basic_block",
    "image_shape": (16, 16, 3),
}  # fmt: skip
AFFINE = {
    "depths": [1, 1], "embedding_size": 8, "hidden_sizes": [8, 16], "stem_channels": [3, 8, 8],
    "hidden_act": "relu", "use_learnable_affine_block": True, "apply_downsample": [False, True],
    "stackwise_stage_filters": [[8, 8, 16, 1, 1, 3], [16, 8, 16, 1, 1, 3]],
    "use_lightweight_conv_block": [False, True], "image_shape": (32, 32, 3),
}  # fmt: skip

# The backbone, its configuration, and how many groups of channels, heads and units it has.
BACKBONES = {
    "BertBackbone": (TEXT | HEADS | SHORT, 6),
    "GPT2Backbone": (TEXT | HEADS | SHORT, 2),
    "T5Backbone": (TEXT | HEADS, 4),
    "MistralBackbone": (TEXT | GROUPED, 2),
    "LlamaBackbone": (TEXT | GROUPED, 0),  # its decoder has no config: an error of KerasHub
    "GPTNeoXBackbone": (TEXT | HEADS | {"hidden_dim": 16}, 0),  # likewise
    "GemmaBackbone": (
        TEXT | {"num_query_heads": 2, "num_key_value_heads": 1, "head_dim": 4}, 0
    ),
    "RobertaBackbone": (TEXT | HEADS | SHORT, 6),
    "AlbertBackbone": (TEXT | HEADS | SHORT | {"embedding_dim": 4}, 3),
    "DebertaV3Backbone": (TEXT | HEADS | SHORT, 2),
    "FNetBackbone": (TEXT | SHORT, 2),
    "BartBackbone": (TEXT | HEADS | SHORT, 8),
    "OPTBackbone": (TEXT | HEADS | SHORT, 2),
    "BloomBackbone": (TEXT | HEADS, 2),
    "QwenBackbone": (TEXT | GROUPED, 2),
    "WhisperBackbone": (
        TEXT | HEADS
        | {"num_mels": 8, "max_encoder_sequence_length": 8, "max_decoder_sequence_length": 6},
        7,
    ),
    "ViTBackbone": (PATCHES | {"hidden_dim": 8, "mlp_dim": 12}, 6),
    "DeiTBackbone": (PATCHES | {"hidden_dim": 8, "intermediate_dim": 12}, 0),
    "CLIPVisionEncoder": (PATCHES | {"hidden_dim": 8, "intermediate_dim": 12}, 6),
    "DINOV2Backbone": (PATCHES | {"hidden_dim": 8, "intermediate_dim": 12}, 6),
    "MiTBackbone": (MIT, 6),
    "ResNetBackbone": (STAGES, 3),
    "HGNetV2Backbone": (AFFINE, 8),
    "VGGBackbone": (
        {"stackwise_num_repeats": [1, 1], "stackwise_num_filters": [8, 8],
         "image_shape": (16, 16, 3)}, 1,
    ),
    "DenseNetBackbone": (
        {"stackwise_num_repeats": [2, 2], "compression_ratio": 0.5, "growth_rate": 4,
         "image_shape": (32, 32, 3)}, 7,
    ),
    "XceptionBackbone": (
        {"stackwise_conv_filters": [[8, 8], [8, 8]], "stackwise_pooling": [True, False],
         "image_shape": (32, 32, 3)}, 3,
    ),
}  # fmt: skip


# Those with layers that Keras cannot make from the configs KerasHub writes.
NOT_LOADED = {
    "T5Backbone", "DebertaV3Backbone", "ViTBackbone", "CLIPVisionEncoder", "DINOV2Backbone",
    "HGNetV2Backbone", "DeiTBackbone",
}  # fmt: skip


def example(model):
    random = np.random.default_rng(1)

    def value(tensor):
        shape = [2, *(6 if length is None else length for length in tensor.shape[1:])]
        if "mask" in tensor.name:
            return np.ones(shape, tensor.dtype)
        if keras.backend.is_float_dtype(tensor.dtype):
            return random.normal(size=shape).astype("float32")
        return random.integers(0, 2 if "segment" in tensor.name else 6, shape).astype(tensor.dtype)

    return keras.tree.map_structure(value, trace(model).inputs)


def disturbed(model):
    random = np.random.default_rng(0)
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            noise = 0.1 * random.normal(size=weight.shape)
            weight.assign_add(np.abs(noise) if "variance" in weight.path else noise)
    return model


@pytest.mark.parametrize("name", BACKBONES)
def test_half_of_each_group_leaves(name, tmp_path):
    options, groups = BACKBONES[name]
    keras.utils.set_random_seed(0)
    model = disturbed(getattr(keras_hub.models, name)(**options))
    graph = ChannelGraph(model)
    assert len(graph.groups) == groups
    plan, x = half_plan(graph), example(model)
    before = outputs(model, x)
    small = prune(model, plan)
    after = outputs(small, x)
    assert_same(after, outputs(silence(model, plan), x))
    assert_same(outputs(model, x), before)
    assert (small.count_params() < model.count_params()) == bool(groups)
    if groups and name not in NOT_LOADED:
        small.save(tmp_path / "small.keras")
        assert_same(outputs(keras.models.load_model(tmp_path / "small.keras"), x), after)
