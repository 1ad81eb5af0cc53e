"""The optimizer and learning-rate schedule that a `TrainingConfig` describes."""

from typing import Any

import keras

from keras_prune.training.config import TrainingConfig

# One cycle: the share of steps that climbs, where it starts, and where it ends.
_CLIMB = 0.3
_START = 1 / 25
_END = 1e-3


class _OneReplica:
    """No sum of gradients over replicas, for there is but one.

    TensorFlow 2.19 to 2.21 never free a graph that holds an op with a custom gradient (its issue
    97697), and the sum is one: every training of VGG16 would leave 100 MB behind.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars


class OneReplicaSGD(_OneReplica, keras.optimizers.SGD):
    """SGD on one device."""


class OneReplicaAdamW(_OneReplica, keras.optimizers.AdamW):
    """AdamW on one device."""


def optimizer(
    config: TrainingConfig, total_steps: int, model: keras.Model
) -> keras.optimizers.Optimizer:
    """The optimizer over `total_steps`, its decoupled weight decay on the model's kernels only."""
    rate = schedule(config, total_steps)
    decay = config.weight_decay or None
    found: keras.optimizers.Optimizer
    if config.optimizer == "adamw":
        found = OneReplicaAdamW(rate, weight_decay=config.weight_decay)
    else:
        found = OneReplicaSGD(
            rate, momentum=config.momentum, nesterov=config.momentum > 0, weight_decay=decay
        )
    if config.weight_decay:
        found.exclude_from_weight_decay(
            var_list=[v for v in model.trainable_variables if "kernel" not in v.name]
        )
    return found


def schedule(
    config: TrainingConfig, total_steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate by step: a number, or a schedule that ends with the last step."""
    peak = config.learning_rate
    if config.schedule == "constant":
        return peak
    if config.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(peak, total_steps)
    climb = round(total_steps * _CLIMB)
    if not climb:  # Too short to climb.
        return keras.optimizers.schedules.CosineDecay(peak, total_steps, alpha=_END)
    return keras.optimizers.schedules.CosineDecay(
        peak * _START, total_steps - climb, alpha=_END, warmup_target=peak, warmup_steps=climb
    )
