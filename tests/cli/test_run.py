"""`keras-prune run`: which configurations and directories it takes, and what it passes on."""

import re
from pathlib import Path

import pytest

from keras_prune.training.config import TrainRecipe

SMALL = """
method = "magnitude"
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
steps = 1
"""


@pytest.fixture(autouse=True)
def project(tmp_path):
    (tmp_path / "setup.cfg").touch()


@pytest.mark.parametrize("stage", ["train", "prune", "test"])
def test_run_takes_all_stages_or_one(call, driver, tmp_path, stage):
    (tmp_path / "my.toml").write_text(SMALL.format(common="directory = 'out'"))
    assert call("run", "my.toml").code == 0
    assert driver.calls[0]["stage"] is None
    assert driver.calls[0]["run"].path == tmp_path / "out"
    driver.run = lambda config, run, *, stage, **_: driver.calls.append(stage)
    result = call("run", "my.toml", "--stage", stage)  # in the directory that is there
    assert driver.calls[1] == stage
    assert result.out == f"Run directory: {tmp_path / 'out'}\n"


def test_the_method_of_a_file_says_what_is_done(call, driver, tmp_path, monkeypatch):
    from keras_prune.training import run

    trained = []
    monkeypatch.setattr(run, "train", lambda recipe, directory, **_: trained.append(recipe))
    (tmp_path / "a.toml").write_text('method = "rl_pruner"\n[prune]\nmacs = 0.5\n')
    (tmp_path / "b.toml").write_text(
        'method = "train"\n[common]\ndataset = "digits"\n[train]\nepochs = 1\nlearning_rate = 0.1\n'
    )
    for name in "ab":
        assert call("run", f"{name}.toml", "--out", name).code == 0
    assert driver.calls[0]["config"].method == "rl_pruner"
    assert isinstance(trained[0], TrainRecipe) and trained[0].train.epochs == 1


def test_a_training_that_was_killed_goes_on(call, tmp_path, monkeypatch):
    from keras_prune.training import run

    trained = []
    monkeypatch.setattr(run, "train", lambda recipe, directory, **_: trained.append(directory.path))
    (tmp_path / "a").mkdir()
    text = '[common]\nmodel = "lenet5"\n[train]\nepochs = 1\nlearning_rate = 0.1\n'
    (tmp_path / "a" / "config.toml").write_text(text)
    for command in (["run"], ["train", "--resume"]):
        assert call(*command, "a").code == 0
    assert trained == [Path("a"), Path("a")]


def test_paths_start_at_the_project_the_file_lies_in(call, driver, tmp_path):
    configs = tmp_path / "project" / "configs"
    configs.mkdir(parents=True)
    (tmp_path / "project" / "photos").mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    common = "directory = 'runs/x'\nweights = 'w'"
    text = SMALL.format(common=common).replace("digits", "photos")
    (configs / "my.toml").write_text(text.replace("lenet300_100", "mine.keras"))
    call("run", configs / "my.toml")
    project, common = tmp_path / "project", driver.calls[0]["config"].common
    assert driver.calls[0]["run"].path == project / "runs" / "x"
    assert (common.weights, common.model) == (str(project / "w"), str(project / "mine.keras"))
    assert common.dataset == str(project / "photos")
    assert not (tmp_path / "runs").exists()


def test_without_a_directory_the_run_lies_in_the_project(call, driver, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "my.toml").write_text(SMALL.format(common=""))
    call("run", "configs/my.toml")
    assert driver.calls[0]["run"].path.parent == tmp_path / "runs"
    assert driver.calls[0]["config"].common.model == "lenet300_100"


def test_a_file_of_a_former_version_is_carried_out_with_warnings(call, driver, tmp_path):
    text = SMALL.format(common="").replace('method = "magnitude"', "")
    former = text.replace("steps = 1", "iterations = 1")
    retrain = "[prune.retrain]\nepochs = 7\nlearning_rate = 0.01\n"
    (tmp_path / "my.toml").write_text(former + retrain)
    result = call("run", "my.toml")
    assert driver.calls[0]["config"].recovery.epochs == 7
    warned = [line for line in result.err.splitlines() if line.startswith("Warning: my.toml: ")]
    assert len(warned) == 3


def test_the_tables_of_magnitude_pruning_are_printed(call, driver):
    run = driver.run

    def with_tables(config, directory, **options):
        rows = "layer,before,after,difference,reduction_percent\nfc1,10,5,-5,50.0\n"
        for cost in ("parameters", "bytes", "flops"):
            directory.write_text(f"{cost}.csv", rows)
        directory.write_text(
            "summary.csv",
            "figure,before,after,difference,times_smaller\n"
            "Test accuracy (%),99.125,98.5,-0.625,\nParameters,61706,5141,-56565,12.0027\n",
        )
        directory.write_text(
            "sizes.csv",
            "file,bytes,gzip_bytes,times_smaller,top1_agreement,accuracy,latency_us,note\n"
            "dense.tflite,251392,36566,1.0,100.0,99.1,18.0,Zeros take time.\n"
            "packed.kpz,21000,21000,11.97,100.0,99.1,,Storage only.\n",
        )
        return run(config, directory, **options)

    driver.run = with_tables
    result = call("lenet5", "--out", "here")
    assert result.code == 0, result.err
    for text in ("Parameters, zero weights left out", "Size (KB)", "FLOPs (K)", "Summary"):
        assert text in result.out
    assert re.search(r"Parameters +│ 61,706 │ 5,141 │ +-56,565 │ +12.00", result.out)
    assert re.search(r"Test accuracy \(%\) +│ +99.12 │ +98.50 │ +-0.62 │ +│", result.out)
    assert "packed.kpz: Storage only." in result.out
    assert "Parameters by layer" not in result.out
    assert result.out.endswith("Run directory: here\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.toml"], "Cannot read the configuration absent.toml"),
        (["typo.toml"], "[prune] 'stepps'. Did you mean 'steps'?"),
        (["none.toml"], "Missing key 'method'"),
        (["other.toml"], "Unknown method 'rankin'. Did you mean 'ranking'?"),
        (["type.toml"], "prune.sparsity expects a number. Received: 'high'."),
        (["good.toml", "--stage", "prune"], "A stage alone needs the directory of the others"),
        (["good.toml", "--stage", "all"], "'all' is not one of 'train', 'prune', 'test'"),
        (["good.toml", "--out", "used"], "used is not empty. A run is never overwritten"),
        (["used"], "Expected the directory of a run with its config.toml"),
        (["used", "--out", "other"], "Leave out --out"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, driver, tmp_path, arguments, message):
    good = SMALL.format(common="")
    for name, text in {
        "good": good,
        "none": "[prune]\n",
        "other": good.replace("magnitude", "rankin"),
        "type": good.replace("0.5", "'high'"),
        "typo": good.replace("steps", "stepps"),
    }.items():
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "report.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    result = call("run", *arguments)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", result.err)
    assert message in result.err
    assert not driver.calls
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("stage", ["prune", "test"])
def test_a_stage_needs_what_the_one_before_it_left(call, tmp_path, stage):
    (tmp_path / "good.toml").write_text(SMALL.format(common=""))
    before = sorted(tmp_path.rglob("*"))
    result = call("run", "good.toml", "--stage", stage, "--out", "x")
    assert result.code == 2 and "Run --stage train first." in result.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_function_that_a_file_names_is_called_only_if_that_is_said(call, driver, tmp_path):
    content = SMALL.replace("digits", "mine:splits").format(common="directory = 'out'")
    (tmp_path / "my.toml").write_text(content)
    called = tmp_path / "called"
    (tmp_path / "mine.py").write_text(f"open({str(called)!r}, 'w')")
    refused = call("run", "my.toml")
    assert refused.code == 2 and not driver.calls and not called.exists()
    assert "common.dataset in the file is 'mine:splits'" in refused.err
    assert refused.err.rstrip().endswith("give --allow-code.")
    assert call("lenet300-100", "--config", "my.toml").code == 2
    assert call("lenet300-100", "--config", "my.toml", "--dataset", "digits").code == 0
    assert call("run", "my.toml", "--allow-code", "--out", "other").code == 0


def test_a_run_goes_on_with_a_function_only_if_that_is_said(call, driver, tmp_path):
    def interrupted(config, run, **_):
        run.write_text("config.toml", SMALL.replace("digits", "mine:splits").format(common=""))
        run.write_text("plan.json", "{}")
        raise KeyboardInterrupt

    driver.run = interrupted
    named = call("lenet300-100", "--dataset", "mine:splits", "--out", "out")  # on the command line
    assert named.err.rstrip().endswith("To go on: keras-prune run out --allow-code")
    for words in (("run", "out"), ("lenet300-100", "--resume", "out")):
        refused = call(*words)
        assert refused.code == 2 and "'mine:splits', a function" in refused.err
        assert call(*words, "--allow-code").code == 130
