"""Files that version 0.1 wrote, before its modules moved, load and compute the same."""

import re
import zipfile
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.runtimes.loading import load_model
from keras_prune.utils.registered import _HOMES

FILES = Path(__file__).parents[1] / "files" / "v0_1"
OUTPUTS = np.load(FILES / "outputs.npz")


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("model.keras", "inputs", "model"),
        ("model.kpz", "inputs", "model"),
        ("masked_norm.keras", "inputs", "masked_norm"),
        ("runtime_pruned.keras", "images", "runtime_pruned"),
    ],
)
@pytest.mark.tensorflow
def test_models_load_and_compute_the_same(name, inputs, outputs):
    loaded = load_model(FILES / name)
    np.testing.assert_allclose(loaded(OUTPUTS[inputs]), OUTPUTS[outputs], atol=1e-5)


def test_a_plan_loads_and_leads_to_the_silenced_model():
    plan = kp.PruningPlan.load(FILES / "plan.json")
    small = kp.prune(load_model(FILES / "model.keras"), plan)
    got = keras.ops.convert_to_numpy(small(OUTPUTS["inputs"]))
    np.testing.assert_allclose(got, OUTPUTS["masked_norm"], atol=1e-5)


def test_the_table_names_every_registered_class_and_its_module():
    root = Path(kp.__file__).parent
    found = {}
    for path in root.rglob("*.py"):
        pattern = r'@keras\.saving\.register_keras_serializable\("keras_prune"\)\nclass (\w+)'
        for name in re.findall(pattern, path.read_text(encoding="utf-8")):
            module = ".".join(path.relative_to(root.parent).with_suffix("").parts)
            found[name] = module
            assert getattr(import_module(module), name).__module__ == module
    assert found == {name: home for name, (home, _) in _HOMES.items()}


def test_the_old_files_name_former_modules():
    with zipfile.ZipFile(FILES / "masked_norm.keras") as archive:
        config = archive.read("config.json").decode()
    assert '"module": "keras_prune.masked_norm"' in config
    with pytest.raises(ModuleNotFoundError):
        import_module("keras_prune.masked_norm")
