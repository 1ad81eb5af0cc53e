"""What holds for all tests: their seeds; what needs TensorFlow is skipped where Keras lacks it."""

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


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same numbers, whichever tests ran before it in the same process."""
    from keras.utils import set_random_seed

    set_random_seed(0)
