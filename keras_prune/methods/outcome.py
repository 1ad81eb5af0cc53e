"""What a method hands over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import keras

from keras_prune.plan import PruningPlan


@dataclass(frozen=True)
class Outcome:
    """A pruned model and how it came about.

    Args:
        model: the model.
        plan: the plan that leads to it from the original.
        accuracy: its validation accuracy, in percent.
        notes: what the reader of a report should know, in sentences.
        untouched: group -> why nothing was pruned there.
    """

    model: keras.Model
    plan: PruningPlan
    accuracy: float
    notes: tuple[str, ...] = ()
    untouched: Mapping[str, str] = field(default_factory=dict)
