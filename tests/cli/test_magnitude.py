"""`lenet5`, `lenet300-100` and `run`: what they pass on, what they print, how they fail."""

import re

import pytest

from keras_prune.cli.lenet import KEYS
from keras_prune.config import to_dict
from keras_prune.methods import magnitude
from keras_prune.reporting import GroupReport, ModelFigures, PruningReport

SMALL = """
[common]
model = "lenet300_100"
dataset = "digits"
{common}
[train]
epochs = 1
learning_rate = 0.05
[prune]
threshold = "global"
sparsity = 0.5
iterations = 1
[prune.retrain]
epochs = 1
learning_rate = 0.01
[test]
"""


@pytest.fixture
def calls(monkeypatch):
    """What `run_recipe` was called with; it writes tables as the method does."""
    found = []

    def run_recipe(recipe, run, **options):
        found.append({"recipe": recipe, "run": run, **options})
        run.write_text("config.toml", "")
        rows = "layer,before,after,difference,reduction_percent\nfc1,10,5,-5,50.0\n"
        for cost in magnitude.TITLES:
            run.write_text(f"{cost}.csv", rows)
        run.write_text(
            "summary.csv",
            "figure,before,after,difference,times_smaller\n"
            "Test accuracy (%),99.125,98.5,-0.625,\nParameters,61706,5141,-56565,12.0027\n",
        )
        run.write_text(
            "sizes.csv",
            "file,bytes,gzip_bytes,times_smaller,top1_agreement,accuracy,latency_us,note\n"
            "dense.tflite,251392,36566,1.0,100.0,99.1,18.0,Zeros take time.\n"
            "packed.kpz,21000,21000,11.97,100.0,99.1,,Storage only.\n",
        )
        if "test" not in options.get("stages", ("test",)):
            return None
        figures = ModelFigures(99.1, 0.1, 99.0, 61_706, 1, 1, 1)
        groups = (GroupReport("fc1", 120, 94),)
        return PruningReport("magnitude", "lenet5", "mnist", 0, {}, figures, figures, groups)

    monkeypatch.setattr(magnitude, "run_recipe", run_recipe)
    return found


@pytest.mark.parametrize("name", ["lenet5", "lenet300-100"])
def test_a_recipe_runs_what_the_package_ships_and_prints_the_tables(call, calls, name):
    result = call(name, "--out", "here", "--weights", "w.keras")
    assert result.code == 0, result.err
    assert calls[0]["recipe"].common.model == name.replace("-", "_")
    assert str(calls[0]["weights"]) == "w.keras"
    for text in ("Parameters, zero weights left out", "Size (KB)", "FLOPs (K)", "Summary"):
        assert text in result.out
    assert re.search(r"Parameters +│ 61,706 │ 5,141 │ +-56,565 │ +12.00", result.out)
    assert re.search(r"Test accuracy \(%\) +│ +99.12 │ +98.50 │ +-0.62 │ +│", result.out)
    assert "packed.kpz: Storage only." in result.out
    assert result.out.endswith("Run directory: here\n")


def test_every_option_reaches_the_configuration(call, calls):
    values = {
        "augment": False, "batch-size": 17, "dataset": "digits", "epochs": 3, "iterations": 4,
        "seed": 5, "precision": "mixed_bfloat16", "sparsity": 0.75,
    }  # fmt: skip
    assert {name.replace("-", "_") for name in values} == set(KEYS)
    given = [(f"--{name}", value) for name, value in values.items() if name != "augment"]
    call("lenet5", "--no-augment", *(part for pair in given for part in pair))
    config = to_dict(calls[0]["recipe"])
    for name, value in values.items():
        section, key = KEYS[name.replace("-", "_")].split(".")
        assert config[section][key] == value, name


def test_run_takes_all_stages_or_one(call, calls, tmp_path):
    (tmp_path / "my.toml").write_text(SMALL.format(common="directory = 'out'"))
    (tmp_path / "setup.cfg").touch()
    assert call("run", "my.toml").code == 0
    assert calls[0]["stages"] == ("train", "prune", "test")
    assert calls[0]["run"].path == tmp_path / "out"
    result = call("run", "my.toml", "--stage", "train", "--out", "other")
    assert calls[1]["stages"] == ["train"]
    assert result.out == "Run directory: other\n"


def test_paths_start_at_the_project_the_file_lies_in(call, calls, tmp_path, monkeypatch):
    configs = tmp_path / "project" / "configs"
    configs.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    (configs / "my.toml").write_text(SMALL.format(common="directory = 'runs/x'\nweights = 'w'"))
    call("run", configs / "my.toml")
    assert calls[0]["run"].path == tmp_path / "project" / "runs" / "x"
    assert calls[0]["recipe"].common.weights == str(tmp_path / "project" / "w")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet5", "--sparsity", "1"], "sparsity to be a fraction of zero weights in [0, 1)"),
        (["lenet5", "--config", "typo.toml"], "[prune] 'iteration'. Did you mean 'iterations'?"),
        (["run", "absent.toml"], "Cannot read the configuration absent.toml"),
        (["run", "typo.toml"], "Missing key 'common' in the configuration. Add it."),
        (["run", "type.toml"], "prune.sparsity expects a number. Received: 'high'."),
        (["run", "good.toml", "--stage", "prune"], "A stage alone needs the directory of the oth"),
        (["run", "good.toml", "--stage", "prune", "--out", "x"], "Run --stage train first."),
        (["run", "good.toml", "--stage", "test", "--out", "x"], "Run --stage prune first."),
        (["run", "good.toml", "--stage", "all"], "'all' is not one of 'train', 'prune', 'test'"),
        (["run", "good.toml", "--out", "used"], "used is not empty. A run is never overwritten"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, calls, tmp_path, arguments, message):
    (tmp_path / "typo.toml").write_text("[prune]\niteration = 3\n")
    (tmp_path / "good.toml").write_text(SMALL.format(common=""))
    (tmp_path / "type.toml").write_text(SMALL.format(common="").replace("0.5", "'high'"))
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "report.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    result = call(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", result.err)
    assert message in result.err
    assert not calls
    assert sorted(tmp_path.rglob("*")) == before
