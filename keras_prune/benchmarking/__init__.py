"""How fast model files run, measured side by side."""

from keras_prune.benchmarking.files import Benchmark, Timing, benchmark
from keras_prune.benchmarking.layers import LayerBenchmark, LayerTiming, benchmark_layers
from keras_prune.benchmarking.sparse_forms import SparseForm, export_sparse, forms_frame

__all__ = [
    "Benchmark",
    "LayerBenchmark",
    "LayerTiming",
    "SparseForm",
    "Timing",
    "benchmark",
    "benchmark_layers",
    "export_sparse",
    "forms_frame",
]
