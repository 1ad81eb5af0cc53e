"""Names are imported when they are first used, and a configuration imports nothing heavy."""

import subprocess
import sys

import pytest

from keras_prune.utils.lazy import lazy

LIGHT = [
    "keras_prune.training.config",
    "keras_prune.utils.config",
    "keras_prune.utils.generations",
    "keras_prune.tracking",
]


def test_a_name_comes_from_its_module_and_a_module_stands_for_itself():
    from keras_prune.utils import files

    found, listed = lazy(
        "keras_prune.utils", {"whole_file": ".files", "files": ".files", "dumps": "json"}
    )
    assert found("whole_file") is files.whole_file
    assert found("files") is files
    assert found("dumps")([1]) == "[1]"
    assert {"whole_file", "files", "dumps", "__name__"} <= set(listed())


def test_an_unknown_name_is_an_attribute_error():
    found, _ = lazy("keras_prune.utils", {})
    with pytest.raises(AttributeError, match="module 'keras_prune.utils' has no attribute 'x'"):
        found("x")


def test_configurations_are_imported_without_keras():
    script = f"import sys, {', '.join(LIGHT)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"keras", "tensorflow"} & set(done.stdout.split())
