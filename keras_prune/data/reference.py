"""A user's own data from Python: a function that returns the splits."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

from keras_prune.data.given import Given, given
from keras_prune.data.sources import Arrays, mixed
from keras_prune.errors import DataError, unknown

_SPLITS = ("train", "validation", "test")


class Reference:
    """What `module:function` returns: `(train, validation, test)`, and class names if it likes.

    The function is called without arguments, with the current directory on Python's path. Each
    split is counted and read when it is first needed, so the test split last.

    Args:
        reference: `module:function`.
    """

    def __init__(self, reference: str) -> None:
        self._name = reference
        module, function = reference.split(":")
        with _as_in_a_script():
            returned = self._call(self._function(module, function))
        self._splits, self.class_names = self._checked(returned)
        self.sizes = _Sizes(self._splits)

    @cached_property
    def num_classes(self) -> int:
        """Number of class names, or one more than the highest label of the training split."""
        count = len(self.class_names) or 1 + int(self._splits["train"].labels.max())
        if count < 2:
            raise DataError(f"{self._name} expected at least two classes. Received: {count}.")
        return count

    def read(self, split: str) -> Arrays:
        """Images `(examples, height, width, channels)` and labels, in a fixed mixed order."""
        images, labels = self._splits[split].read()
        highest = int(labels.max())
        if highest >= self.num_classes:
            raise DataError(
                f"{self._name}: expected labels from 0 to {self.num_classes - 1} in the {split} "
                f"split. Received: {highest}."
            )
        order = mixed(len(labels))
        return images[order], labels[order].astype("int32")

    def _function(self, module: str, function: str) -> Callable[[], Any]:
        try:
            found = import_module(module)
        except (Exception, SystemExit) as error:  # whatever the user's module does
            raise DataError(
                f"Cannot import the module {module!r} of {self._name} from the current "
                f"directory: {_reason(error)}"
            ) from error
        if not callable(getattr(found, function, None)):
            functions = [name for name, value in vars(found).items() if callable(value)]
            raise DataError(unknown(f"function of the module {module!r}", function, functions))
        return getattr(found, function)

    def _call(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except (Exception, SystemExit) as error:  # whatever the user's function does
            raise DataError(f"{self._name} failed: {_reason(error)}") from error

    def _checked(self, returned: Any) -> tuple[dict[str, Given], tuple[str, ...]]:
        expected = f"Expected {self._name} to return (train, validation, test) or (..., class_names"
        if not isinstance(returned, tuple | list) or len(returned) not in (3, 4):
            size = f" of {len(returned)}" if hasattr(returned, "__len__") else ""
            raise DataError(f"{expected}). Received: {type(returned).__name__}{size}.")
        splits = {
            split: given(value, f"{self._name}, {split} split")
            for split, value in zip(_SPLITS, returned, strict=False)
        }
        return splits, tuple(map(str, returned[3] if len(returned) == 4 else ()))


class _Sizes(Mapping[str, int]):
    """Examples in each split, counted only when asked for: counting may mean reading."""

    def __init__(self, splits: Mapping[str, Given]) -> None:
        self._splits = splits

    def __getitem__(self, split: str) -> int:
        return len(self._splits[split].labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self._splits)

    def __len__(self) -> int:
        return len(self._splits)


@contextlib.contextmanager
def _as_in_a_script() -> Iterator[None]:
    """Modules of the current directory can be imported; what they print goes to stderr.

    A command's standard output is for its result.
    """
    sys.path.insert(0, "")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path.remove("")


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
