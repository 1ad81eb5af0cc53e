"""The embedded data set: scikit-learn's 1,797 scanned 8x8 digits. It needs no network."""

from functools import cached_property

import numpy as np

from keras_prune.data.sources import Arrays

# The splits are the same for every seed of a run, as they are for the other data sets.
_SPLIT_STATE = 1797


class Digits:
    """The digits, split 60/20/20 with every class in proportion."""

    num_classes = 10
    class_names = tuple("0123456789")

    @property
    def sizes(self) -> dict[str, int]:
        """Examples in each split."""
        return {split: len(rows) for split, rows in self._rows.items()}

    def read(self, split: str) -> Arrays:
        """Images `(examples, 8, 8, 1)` with values 0-255 and labels `(examples,)`."""
        rows = self._rows[split]
        return self._images[rows], self._labels[rows]

    @cached_property
    def _bunch(self) -> Arrays:
        from sklearn.datasets import load_digits

        digits = load_digits()
        return digits.images, digits.target

    @property
    def _images(self) -> np.ndarray:
        # The scans have 17 grey levels, 0 to 16.
        return (self._bunch[0] * (255 / 16)).astype("float32")[..., np.newaxis]

    @property
    def _labels(self) -> np.ndarray:
        return self._bunch[1].astype("int32")

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        from sklearn.model_selection import train_test_split

        labels = self._labels
        train, rest = train_test_split(
            np.arange(len(labels)), test_size=0.4, stratify=labels, random_state=_SPLIT_STATE
        )
        validation, test = train_test_split(
            rest, test_size=0.5, stratify=labels[rest], random_state=_SPLIT_STATE
        )
        return {"train": train, "validation": validation, "test": test}
