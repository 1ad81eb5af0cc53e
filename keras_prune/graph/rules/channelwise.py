"""Operations that treat every channel alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import along_channels, channel_axis, is_elementwise

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


@register(
    layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity, layers.Dropout,
    layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D,
    layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout,
    layers.ActivityRegularization, "keras.src.applications.convnext.StochasticDepth",
    "Abs", "Absolute", "Angle", "Arccos", "Arccosh", "Arcsin", "Arcsinh", "Arctan", "Arctanh",
    "BitwiseInvert", "BitwiseNot", "Cast", "Cbrt", "Ceil", "Celu", "Clip", "ConvertToTensor",
    "Copy", "Cos", "Cosh", "Deg2rad", "Elu", "Erf", "Erfc", "Erfinv", "Exp", "Exp2", "Expm1",
    "Fabs", "Floor", "Gelu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh", "Isfinite",
    "Isinf", "Isnan", "LeakyRelu", "Log", "Log10", "Log1p", "Log2", "LogSigmoid", "LogicalNot",
    "Mish", "NanToNum", "Negative", "OnesLike", "Rad2deg", "ReLU", "Reciprocal", "Relu", "Relu6",
    "Round", "Rsqrt", "SaturateCast", "Selu", "Sigmoid", "Sign", "Signbit", "Silu", "Sin", "Sinc",
    "Sinh", "SoftShrink", "Softplus", "Softsign", "SparsePlus", "SparseSigmoid", "Sqrt",
    "Square", "Squareplus", "StopGradient", "Tan", "Tanh", "TanhShrink", "Threshold", "Trunc",
    "ZerosLike",
)  # fmt: skip
class ElementwiseRule(Rule):
    """Each output element depends on the input element at its place."""

    free_weights = True  # the state of a random generator

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        if any(np.size(getattr(layer, limit, 0)) > 1 for limit in ("x_min", "x_max")):
            raise Unsupported("an argument that is an array may hold one value per channel")
        if any(length not in (None, 1) for length in getattr(layer, "noise_shape", None) or ()):
            raise Unsupported("its noise has a fixed shape")
        return [walk.of(call.inputs[0])]


@register(layers.Activation)
class ActivationRule(ElementwiseRule):
    """Elementwise if its function is known to be."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        activation = call.operation.activation
        if not is_elementwise(activation):
            name = getattr(activation, "__name__", type(activation).__name__)
            raise Unsupported(f"its activation {name!r} may mix channels")
        return super().label(call, walk)


@register(layers.Rescaling, layers.Normalization)
class RescalingRule(Rule):
    """Scales by numbers kept in the config: channels pass if one number serves them all."""

    free_weights = True

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels = walk.of(call.inputs[0])
        layer = call.operation
        scalar = isinstance(layer, layers.Rescaling) and (
            np.ndim(layer.scale) == np.ndim(layer.offset) == 0
        )
        if not scalar and arrays.core(labels).any():
            raise Unsupported("its scale is one number per channel")
        return [labels]


@register(
    layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
    layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
    layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D,
    layers.Cropping1D, layers.Cropping2D, layers.Cropping3D,
    layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D,
    *(getattr(layers, name) for name in dir(layers) if name.startswith("Adaptive")),
    "AveragePool", "MaxPool",
)  # fmt: skip
class SpatialRule(Rule):
    """Moves or gathers positions, each channel for itself."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        return along_channels(call, walk.channels(call.inputs[0], channel_axis(call.operation)))


@register(layers.Resizing, "Resize")
class ResizeRule(SpatialRule):
    """Other heights and widths. A single image has its axes elsewhere."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        if len(call.inputs[0].shape) != 4:
            raise Unsupported("it takes the batch for an axis of one image")
        return super().label(call, walk)


@register(layers.BatchNormalization)
class BatchNormalizationRule(Rule):
    """One scale, offset, mean and variance per channel."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        labels = walk.channels(call.inputs[0], layer.axis)
        for variable in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance):
            walk.bind(layer, variable, 0, labels)
        return [arrays.spread(labels, arrays.shape_of(call.outputs[0]), layer.axis)]
