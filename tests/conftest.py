"""What holds for all tests: those that need TensorFlow are skipped where Keras runs without it."""

import gc

import pytest


def pytest_collection_finish() -> None:
    """What is imported stays: looking for garbage among it, again and again, takes its time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from keras import backend

    if backend.backend() == "tensorflow":
        return
    skip = pytest.mark.skip(reason=f"needs Keras on TensorFlow, not on {backend.backend()}")
    for item in items:
        if item.get_closest_marker("tensorflow"):
            item.add_marker(skip)
