"""The default convention."""

from collections.abc import Sequence

from keras_prune.graph import Call
from keras_prune.graph.work import additions
from keras_prune.profiling.counting import Work, total_macs


def standard(calls: Sequence[Call]) -> Work:
    """MACs as the layer's rule counts them, `FLOPs = 2 MACs + bias additions`.

    A convolution has `kernel size · positions` MACs, a dense layer likewise; a bias adds once per
    output element. Multiplications with padding count. Normalisation, activations, pooling and
    elementwise joins count 0. A layer that is called twice works twice.

    Args:
        calls: all calls of one layer.

    Returns:
        The work on one example.

    Raises:
        Unsupported: no rule can count the layer's work.
    """
    count = total_macs(calls)
    return Work(count, 2 * count + sum(map(additions, calls)))
