"""How fast model files run, measured side by side."""

from keras_prune.benchmarking.files import Benchmark, Timing, benchmark
from keras_prune.benchmarking.layers import LayerBenchmark, LayerTiming, benchmark_layers

__all__ = [
    "Benchmark",
    "LayerBenchmark",
    "LayerTiming",
    "Timing",
    "benchmark",
    "benchmark_layers",
]
