"""What a network is for: data, loss, metrics, and the objective it is judged by."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from keras_prune.data import Splits
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.training.binding import (
    Bound,
    are_class_numbers,
    class_count,
    default_loss,
    default_objective,
    is_class_loss,
    label_range,
    overrides_training,
)
from keras_prune.training.checked_batches import looked_through
from keras_prune.training.class_loss import cross_entropy
from keras_prune.training.compiled import Compiled, compiled_with
from keras_prune.training.evaluation import by_pipeline, evaluate
from keras_prune.training.feeds import Feed, Sampled, feed
from keras_prune.training.inputs import check_inputs
from keras_prune.training.losses import PerExample, per_example
from keras_prune.training.objective import Objective, as_objective, check_figure
from keras_prune.training.short_memory import in_batches_that_fit
from keras_prune.utils.progress import percent

Split = Literal["validation", "test"]
Examples = tuple[Any, Any, Any]
"""Inputs, labels and sample weights (or None), each an array or a structure of arrays."""


class Task:
    """Everything a method has to know about what a network is used for.

    A classification of images is the default and not the limit: with a loss and metrics of its own
    a Task may be a regression, a segmentation, or have several inputs and outputs. Rewards and
    thresholds see the validation data, the test data are read once, for the report.

    Args:
        train: training data as `model.fit` takes it: a `tf.data.Dataset` of batches, arrays
            `(x, y)`, a `keras.utils.PyDataset`, or a function that returns a generator of batches
            (or a generator, with `train_steps`). Or a data set of `kp.data.load`, which brings all
            three splits.
        validation: held-out data, likewise; never trained on. Without it no method can tell how
            much a pruning costs.
        test: data for the report alone, likewise; default: the report has validation figures.
        loss: as `model.compile` takes it; default what the model was compiled with, else the
            cross-entropy of class numbers.
        metrics: likewise; default what the model was compiled with; with the cross-entropy of class
            numbers the accuracy.
        objective: the metric that rewards, thresholds and reports read: a name, `(name, "max")`,
            `(name, "min")` or a `kp.Objective`. Default: the first metric whose name tells its
            direction, else the loss.
        batch_size: examples in a batch, for data given as arrays; default 32.
        train_steps, validation_steps, test_steps: batches in a pass; default: all there are.
        sample_weight: a weight for each training example, for arrays.
        class_weight: class number -> its weight in training.
        callbacks: Keras callbacks of every training; also a function that returns them.
        fit: trains in place of `model.fit`, called as `fit(model, config, callbacks)` with a
            `TrainingConfig`; it may return a `keras.callbacks.History`.
        evaluate: measures in place of `model.evaluate`, called as `evaluate(model, split)` with
            `"validation"` or `"test"`, or as `evaluate(model)`; returns the figures by name, an
            accuracy as a fraction.
        name: what reports call the data; default `"data"`.
        class_names: of the outputs of a classifier, for reports.

    Raises:
        DataError: the data are of another kind, or empty.
        ConfigError: the direction of the objective is unknown.

    Example:

    >>> x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    >>> task = Task((x, y), validation=(x, y), loss="mse", objective="loss")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> sorted(task.bind(model).evaluate(model, "validation"))
    ['loss']
    """

    def __init__(
        self,
        train: Any = None,
        validation: Any = None,
        test: Any = None,
        *,
        loss: Any = None,
        metrics: Any = None,
        objective: Any = None,
        batch_size: int = 32,
        train_steps: int | None = None,
        validation_steps: int | None = None,
        test_steps: int | None = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        callbacks: Iterable[keras.callbacks.Callback] | Callable[[], Any] = (),
        fit: Callable[..., Any] | None = None,
        evaluate: Callable[..., Mapping[str, float]] | None = None,
        name: str = "data",
        class_names: Iterable[str] = (),
    ) -> None:
        self._given = Compiled(loss, metrics)
        self._objective = None if objective is None else as_objective(objective)
        self._bound: Bound | None = None
        self._class_weight = class_weight
        self._callbacks, self._own_fit, self._own_evaluate = callbacks, fit, evaluate
        self.name, self.class_names = name, tuple(class_names)
        self._feeds: dict[str, Feed] = {}
        if isinstance(train, Splits):
            _refuse_splits(validation, test)
            self.name, self.class_names = train.name, train.class_names
            self._feeds = {split: train.feed(split) for split in ("train", "validation", "test")}
            return
        given = {"train": train, "validation": validation, "test": test}
        steps = {"train": train_steps, "validation": validation_steps, "test": test_steps}
        for split, data in given.items():
            if data is not None:
                weight = sample_weight if split == "train" else None
                self._feeds[split] = feed(
                    data, split, batch_size=batch_size, steps=steps[split], sample_weight=weight
                )

    def bind(self, model: keras.Model) -> Task:
        """The same task with loss, metrics and objective settled for a model.

        Args:
            model: the model to prune, as the user compiled it or not; what is made of it later is
                trained and judged alike.

        Raises:
            ConfigError: there is no loss, for the model was not compiled and the labels are no
                class numbers; or no metric tells which way is better.
            DataError: the data have another shape than the model takes.
            ModelError: the model has a `train_step` of its own, and the task no `fit`.
        """
        for split, given in self._feeds.items():
            if split != "test":  # which is read once, for the report
                check_inputs(model, given.once().element_spec[0], split)
        if overrides_training(model) and self._own_fit is None:
            raise ModelError(
                f"{type(model).__name__} has a train_step or compute_loss of its own, which a "
                "pruned model would not have. Give kp.Task(fit=..., evaluate=...) that do the same."
            )
        own = compiled_with(model)
        loss = self._given.loss if self._given.loss is not None else own and own.loss
        metrics = self._given.metrics if self._given.metrics is not None else own and own.metrics
        default = (
            None
            if loss is not None
            else default_loss(model, self._label_spec(), self._first_labels)
        )
        if default is not None:
            metrics = metrics or default.metrics
        elif loss is None and self._own_evaluate is None:
            raise ConfigError(
                f"Model {model.name!r} was not compiled, and its labels are no class numbers for "
                "one output (batch, classes), nor 0 and 1 for outputs of a sigmoid. Give "
                "kp.Task(loss=...), or compile the model."
            )
        of_classes = default is not None and default.classes
        if is_class_loss(loss):
            of_classes = are_class_numbers(model, self._label_spec(), self._first_labels)
        weighted = own if own is not None and self._given.loss is None else Compiled(None)
        bound = copy.copy(self)
        bound._bound = Bound(
            Compiled(loss, metrics, weighted.loss_weights, weighted.weighted_metrics),
            default is not None,
            class_count(model) if of_classes else 0,
            class_count(model) if default is not None and of_classes else label_range(model, loss),
            self._objective or default_objective(metrics, model),
            default.assumed if default is not None else "",
        )
        return bound

    @property
    def assumed(self) -> str:
        """What was taken for granted of the model's outputs, as a sentence; mostly nothing."""
        return self._settled.assumed

    @property
    def is_bound(self) -> bool:
        """Whether loss, metrics and objective are settled."""
        return self._bound is not None

    @property
    def classes(self) -> bool:
        """Whether labels are class numbers, and the one output scores of these classes."""
        return self._settled.class_count > 0

    @property
    def has_default_loss(self) -> bool:
        """Whether the loss is the cross-entropy because none was said."""
        return self._settled.default_loss

    @property
    def objective(self) -> Objective:
        """What models are judged by."""
        return self._settled.objective

    def compiled(self, model: keras.Model, label_smoothing: float = 0.0) -> Compiled:
        """Loss and metrics as `model.compile` takes them.

        Args:
            model: the model that was given, or one that was made of it.
            label_smoothing: of the default loss.

        Raises:
            ConfigError: a loss of the user's own is to be smoothed.
        """
        found = self._settled.compiled
        if self.has_default_loss:
            return replace(found, loss=cross_entropy(model, label_smoothing))
        if label_smoothing:
            raise ConfigError(
                "label_smoothing belongs to the default loss, the cross-entropy. "
                "Smooth a loss of your own in the loss itself."
            )
        return found

    def per_example(self, model: keras.Model) -> PerExample:
        """The loss of a model as a function `(labels, outputs) -> (batch,)`."""
        if self.has_default_loss:
            return cross_entropy(model)
        found = self._settled.compiled
        return per_example(found.loss, found.loss_weights, getattr(model, "output_names", None))

    def evaluate(self, model: keras.Model, split: Split) -> dict[str, float]:
        """All figures of a model by name, accuracies in percent.

        Args:
            model: the model that was given, or one that was made of it.
            split: which data; asking for `"test"` reads the test data.

        Raises:
            DataError: there are no such data.
            ConfigError: loss or metrics do not fit the outputs, the objective is not among the
                figures, or is no number.
        """
        if self._own_evaluate is not None:
            found = self._evaluated(model, split)
        else:
            found = in_batches_that_fit(
                self,
                split,
                lambda task: evaluate(model, task.split(split), self.compiled(model)),
                f"measuring on the {split} data",
            )
        return self._checked(found, split)

    def value(self, model: keras.Model, split: Split = "validation") -> float:
        """The objective of a model on the validation data, in its own units."""
        return self.evaluate(model, split)[self.objective.metric]

    @property
    def own_fit(self) -> Callable[..., Any] | None:
        """What trains in place of `model.fit`."""
        return self._own_fit

    @property
    def own_evaluate(self) -> bool:
        """Whether models are measured by a function of the user's."""
        return self._own_evaluate is not None

    @property
    def has_test(self) -> bool:
        """Whether there are test data, or an `evaluate` of the user's own that may know some."""
        return "test" in self._feeds or self.own_evaluate

    @property
    def steps(self) -> int:
        """Batches in one pass over the training data."""
        return self._feed("train").steps

    def batches(self, seed: int, start: int = 0) -> tf.data.Dataset:
        """Endless training batches; the same seed gives the same ones.

        Args:
            seed: orders (and moves) the examples where they are not in an order of their own.
            start: number of the first batch.
        """
        given = self._feed("train")
        found = looked_through(
            given.endless(seed, start), "train", self._label_range, first=start, steps=given.steps
        )
        if self._class_weight is None:
            return found
        if not isinstance(found.element_spec[1], tf.TensorSpec):
            raise ConfigError(
                "class_weight belongs to a model of one output. Give sample weights instead."
            )
        return found.map(self._weighted)

    def split(self, name: Split) -> tf.data.Dataset:
        """One pass over validation or test data."""
        given = self._feed(name)
        batches = looked_through(given.once(), name, self._label_range)
        if int(batches.cardinality()) != tf.data.UNKNOWN_CARDINALITY:
            return batches
        # Keras counts one batch too many into the losses of single outputs where it has to find
        # the end, and warns of it.
        return batches.apply(tf.data.experimental.assert_cardinality(given.steps))

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """The user's callbacks of one training."""
        return list(self._callbacks() if callable(self._callbacks) else self._callbacks)

    def examples(self, split: str, limit: int | None = None) -> Examples:
        """The first examples of a split as arrays.

        Args:
            split: `"train"` (spread over the split where it can be read at any place),
                `"validation"` or `"test"`.
            limit: how many, at most; default all.
        """
        given = self._feed(split)
        if split == "train" and isinstance(given, Sampled) and limit is not None:
            taken = tf.data.Dataset.from_tensors(keras.tree.lists_to_tuples(given.sample(limit)))
            [(inputs, labels)] = self._looked_through(taken, split)
            return inputs, labels, None
        parts, count = [], 0
        for batch in self._looked_through(given.once(), split):
            parts.append(batch)
            count += len(keras.tree.flatten(batch)[0])
            if limit is not None and count >= limit:
                break
        if not parts:
            raise DataError(f"The {split} data is empty. Give at least one batch.")
        whole = keras.tree.map_structure(lambda *arrays: np.concatenate(arrays)[:limit], *parts)
        return whole if len(whole) == 3 else (*whole, None)

    def halved(self, split: str) -> Task | None:
        """This task in batches of half the size.

        Args:
            split: whose batches must become smaller; those of others do if they can.

        Returns:
            The task; None where the split's batches are the user's own, or of one example.
        """
        feeds = {name: given.halved() for name, given in self._feeds.items()}
        if feeds.get(split) is None:
            return None
        found = copy.copy(self)
        found._feeds = {name: feeds[name] or given for name, given in self._feeds.items()}
        return found

    def judging(self) -> Task:
        """This task without its data: loss, metrics and objective, which can go to a process."""
        found = copy.copy(self)
        found._feeds, found._callbacks = {}, ()
        found._own_fit = found._own_evaluate = None
        return found

    def identity(self) -> dict[str, str]:
        """A text for each split that tells it from other data; the test data are not read."""
        return {name: given.identity() for name, given in self._feeds.items() if name != "test"}

    @property
    def _settled(self) -> Bound:
        if self._bound is None:
            raise ConfigError("Bind the task to a model first: task.bind(model).")
        return self._bound

    def _feed(self, split: str) -> Feed:
        if split not in self._feeds:
            raise DataError(
                f"The task has no {split} data. Give kp.Task({split}=...), as model.fit takes it."
            )
        return self._feeds[split]

    def _looked_through(self, batches: tf.data.Dataset, split: str) -> Iterator[Any]:
        try:
            yield from looked_through(batches, split, self._label_range).as_numpy_iterator()
        except tf.errors.InvalidArgumentError as error:
            said = by_pipeline(error)
            raise (DataError(said) if said else error) from error

    @property
    def _label_range(self) -> int:
        return self._settled.label_range if self.is_bound else 0

    def _label_spec(self) -> Any:
        given = self._feeds.get("train") or self._feeds.get("validation")
        return given and given.once().element_spec[1]

    def _first_labels(self) -> Any:
        given = self._feeds.get("train") or self._feeds["validation"]
        return next(given.once().take(1).as_numpy_iterator())[1]

    def _weighted(self, x: Any, y: Any, weight: Any = None) -> Any:
        one_hot = y.shape.rank == 2 and y.shape[-1] != 1
        numbers = tf.argmax(y, axis=-1, output_type=tf.int32) if one_hot else tf.cast(y, tf.int32)
        numbers = tf.reshape(numbers, (-1,))
        assert self._class_weight is not None
        table = np.ones(1 + max(self._class_weight), "float32")
        table[list(self._class_weight)] = list(self._class_weight.values())
        found = tf.gather(table, tf.minimum(numbers, len(table) - 1))
        found = tf.where(numbers < len(table), found, 1.0)
        return x, y, found if weight is None else found * tf.cast(weight, found.dtype)

    def _evaluated(self, model: keras.Model, split: Split) -> dict[str, float]:
        assert self._own_evaluate is not None
        several = len(inspect.signature(self._own_evaluate).parameters) > 1
        found = self._own_evaluate(model, split) if several else self._own_evaluate(model)
        if not isinstance(found, Mapping):
            raise ConfigError(
                "Expected the task's evaluate to return figures by name, for example "
                f"{{'dice': 0.9}}. Received: {found!r}."
            )
        return percent(found)

    def _checked(self, found: dict[str, float], split: Split) -> dict[str, float]:
        metric = self.objective.metric
        if metric not in found:
            raise ConfigError(
                f"The objective {metric!r} is none of the figures there are: "
                f"{', '.join(sorted(found))}. Give one of them, or add the metric."
            )
        check_figure(metric, found[metric], f"the {split} data")
        return found


def _refuse_splits(*others: Any) -> None:
    if any(other is not None for other in others):
        raise ConfigError(
            "A data set of kp.data.load brings its own validation and test split. Leave out "
            "validation and test."
        )
