"""What multiplies and accumulates nothing, though no channel can leave it."""

from __future__ import annotations

import keras

from keras_prune.graph.rules.base import BarrierRule, register

layers = keras.layers


_OF_SOME_VERSIONS = (
    "AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix",
    "Equalization", "MaxNumBoundingBoxes", "MixUp", "RandAugment", "Solarization",
)  # fmt: skip


@register(
    layers.CategoryEncoding, layers.CenterCrop, layers.Discretization, layers.HashedCrossing,
    layers.Hashing, layers.IntegerLookup, layers.Masking, layers.StringLookup,
    layers.TextVectorization,
    *(getattr(layers, name) for name in _OF_SOME_VERSIONS if hasattr(layers, name)),
    *(getattr(layers, name) for name in dir(layers) if name.startswith("Random")),
    "Append", "Arange", "Argpartition", "Array", "ArraySplit", "Average", "BatchNorm",
    "BitwiseLeftShift", "BitwiseRightShift", "Conj", "Conjugate", "CropImages", "Diag", "Diagflat",
    "Diagonal", "Diff", "Digitize", "Dsplit", "Dstack", "EmptyLike", "ExtractPatches", "Fliplr",
    "Flipud", "Fold", "Full", "FullLike", "Gcd", "HSVToRGB", "Hsplit", "Hstack", "I0", "Imag",
    "InTopK", "IsIn", "Isneginf", "Isposinf", "Isreal", "LayerNorm", "Lcm", "Ldexp", "LeftShift",
    "Linspace", "Logspace", "Meshgrid", "Moments", "MultiHot", "Nanargmax", "Nanargmin",
    "Nancumprod", "Nancumsum", "Nanmax", "Nanmean", "Nanmedian", "Nanmin", "Nanpercentile",
    "Nanprod", "Nanquantile", "Nanstd", "Nansum", "Nanvar", "Ndim", "Nextafter", "Nonzero", "Norm",
    "Normalize", "OneHot", "Outer", "PadImages", "Percentile", "Polar", "Ptp", "Quantile",
    "RGBToGrayscale", "RGBToHSV", "RMSNorm", "Ravel", "Real", "Rearrange", "RightShift", "Rot90",
    "Scatter", "ScatterUpdate", "SearchSorted", "SegmentMax", "SegmentMin", "SegmentProd",
    "SegmentSum", "Size", "Slice", "SliceUpdate", "Sparsemax", "TakeAlongAxis", "TopK", "Trace",
    "Trapezoid", "Tril", "Triu", "Unfold", "Unique", "UnravelIndex", "View", "ViewAsComplex",
    "ViewAsReal", "Vsplit", "Vstack",
)  # fmt: skip
class IdleRule(BarrierRule):
    """Moves, compares, draws or weighs element by element: `MACs = 0`, as of all normalisation."""
