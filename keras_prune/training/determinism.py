"""The same bits from the same seed, whatever the threads do."""

import os
import warnings

import tensorflow as tf

from keras_prune.errors import ResultWarning


def fix_order() -> None:
    """Lets TensorFlow do in a fixed order what it shares out among threads.

    Sums of floats depend on their order. An operation still takes all threads, but one is carried
    out at a time: TensorFlow's own setting alone leaves gradients of some networks to chance.

    It holds for the rest of the process, for TensorFlow offers no way back. Seeds are the caller's
    to set; random operations without one fail from now on.

    Warns:
        ResultWarning: TensorFlow runs already, and several operations at a time.

    Example:

    >>> fix_order()  # doctest: +SKIP
    """
    tf.config.experimental.enable_op_determinism()
    if os.environ.get("TF_NUM_INTEROP_THREADS") == "1":
        return
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # a model was built before, for example
        warnings.warn(
            "TensorFlow runs already, several operations at a time: weights may still differ from "
            "run to run. Call kp.training.fix_order() before anything is built, or start the "
            "process with TF_NUM_INTEROP_THREADS=1.",
            ResultWarning,
            stacklevel=2,
        )
