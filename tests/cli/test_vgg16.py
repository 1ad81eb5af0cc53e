"""The recipe command: what it passes on, what it prints, how it fails."""

import os
import re

import pytest

from keras_prune.cli.vgg16 import KEYS
from keras_prune.config import to_dict
from keras_prune.errors import DataError, ModelError


def test_a_run_ends_with_tables_and_the_run_directory(call):
    result = call("vgg16", "--b", 1.0, "--dataset", "digits", "--out", "here")
    assert result.code == 0
    for text in ("vgg16 on digits, pruned by filter_agent", "block1_conv1", "14,995,146", "98.25"):
        assert text in result.out
    assert "Not pruned: logits: it is the model's output" in result.out
    assert "Note: The plan of block1_conv1 was backed off." in result.out
    assert result.out.endswith("Run directory: here\n")
    assert re.search(r"^group conv1  2/2  reward=0.75 kept=10  elapsed 0:00:0", result.err, re.M)


def test_options_win_over_the_file_which_wins_over_the_recipe(call, method, tmp_path):
    (tmp_path / "my.toml").write_text("[prune]\nb = 2\nsamples = 3\n[common]\nseed = 4\n")
    call("vgg16", "--config", "my.toml", "--samples", 7, "--data-dir", "d", "--weights", "w.keras")
    config = method.calls[0]["config"]
    assert (config.prune.b, config.prune.samples, config.common.seed) == (2.0, 7, 4)
    assert str(method.calls[0]["data_dir"]) == "d"
    assert str(method.calls[0]["weights"]) == "w.keras"


def test_the_recipes_own_configuration_is_the_default(call, method):
    call("vgg16")
    config = method.calls[0]["config"]
    assert (config.common.model, config.common.dataset, config.prune.b) == ("vgg16", "cifar10", 1.0)
    assert re.fullmatch(r"runs/vgg16-\d{8}-\d{6}", method.calls[0]["run"].path.as_posix())


@pytest.mark.parametrize("where", ["option", "file"])
def test_a_data_set_may_change_the_recipe_and_the_user_both(call, method, tmp_path, where):
    text = "[prune]\nmax_steps = 99\n" + ("[common]\ndataset = 'digits'\n" * (where == "file"))
    (tmp_path / "my.toml").write_text(text)
    call("vgg16", "--config", "my.toml", *(["--dataset", "digits"] * (where == "option")))
    config = method.calls[0]["config"]
    assert config.common.dataset == "digits"
    assert config.common.batch_size == 32  # of vgg16-digits.toml
    assert config.train.weight_decay == 5e-3  # of vgg16.toml
    assert config.prune.max_steps == 99  # the user's own


def test_every_option_reaches_the_configuration(call, method):
    values = {
        "b": 0.25,
        "batch-size": 17,
        "dataset": "mnist",
        "epochs": 3,
        "finetune-epochs": 4,
        "finetune-steps": 6,
        "max-steps": 8,
        "precision": "mixed_bfloat16",
        "samples": 9,
        "seed": 11,
        "validation-images": 500,
    }
    assert {name.replace("-", "_") for name in values} == KEYS.keys() - {
        "augment",
        "distill",
    }  # flags
    call("vgg16", *(part for name, value in values.items() for part in (f"--{name}", value)))
    config = to_dict(method.calls[0]["config"])
    for name, value in values.items():
        section, key = KEYS[name.replace("-", "_")].split(".")
        assert config[section][key] == value, name


def test_augmentation_can_be_left_out(call, method):
    for out, arguments in enumerate(([], ["--no-augment"], ["--augment"])):
        call("vgg16", "--out", out, *arguments)
    assert [call["config"].common.augment for call in method.calls] == [True, False, True]


def test_distillation_is_off_unless_asked_for(call, method, tmp_path):
    (tmp_path / "my.toml").write_text("[distillation]\nalpha = 0.9\n")
    for out, arguments in enumerate(([], ["--distill"], ["--distill", "--config", "my.toml"])):
        assert call("vgg16", "--out", out, *arguments).code == 0
    off, default, mine = (call["config"].distillation for call in method.calls)
    assert off is None
    assert (default.temperature, default.alpha) == (4.0, 0.5)
    assert (mine.temperature, mine.alpha) == (4.0, 0.9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg16", "--b", "0"], "'--b': expected a finite number above 0. Received: 0.0."),
        (["vgg16", "--b", "-1"], "above 0. Received: -1.0."),
        (["vgg16", "--b", "nan"], "above 0. Received: nan."),
        (["vgg16", "--b", "inf"], "above 0. Received: inf."),
        (["vgg16", "--b", "one"], "'one' is not a valid float"),
        (["vgg16", "--samples", "0"], "0 is not in the range x>=1"),
        (["vgg16", "--sample", "1"], "No such option '--sample'. Did you mean '--samples'?"),
        (["vgg16", "extra"], "unexpected extra argument"),
        (["vgg61"], "No such command 'vgg61'. Did you mean 'vgg16'?"),
        (["vgg16", "--config", "absent.toml"], "Cannot read the configuration absent.toml"),
        (["vgg16", "--config", "typo.toml"], "[prune] 'sampels'. Did you mean 'samples'?"),
        (["vgg16", "--config", "broken.toml"], "broken.toml is not valid TOML"),
        (["vgg16", "--config", "type.toml"], "prune.b expects a number. Received: 'high'."),
        (["vgg16", "--config", "distill.toml"], "[distillation] 'alhpa'. Did you mean 'alpha'?"),
        (["vgg16", "--mlflow", "http://127.0.0.1:9"], "127.0.0.1:9: Connection refused. Start a"),
        (["vgg16", "--mlflow", "runs"], "Expected the URI of an MLflow store"),
        (["vgg16", "--tensorboard", "typo.toml"], "Cannot write TensorBoard's logs to typo.toml"),
        (["vgg16", "--out", "used"], "used is not empty. A run is never overwritten"),
        (["vgg16", "--out", "typo.toml"], "Cannot write the run directory typo.toml"),
        (["vgg16", "--out", "/proc/here"], "Cannot write the run directory /proc/here"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, method, tmp_path, arguments, message):
    (tmp_path / "typo.toml").write_text("[prune]\nsampels = 3\n")
    (tmp_path / "broken.toml").write_text("[prune\nb = ")
    (tmp_path / "type.toml").write_text("[prune]\nb = 'high'\n")
    (tmp_path / "distill.toml").write_text("[distillation]\nalhpa = 0.9\n")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "report.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    result = call(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", result.err)
    assert message in result.err
    assert not method.calls
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("error", [DataError("No data\nset."), ModelError("No data set.")])
def test_a_failure_before_any_result_leaves_nothing_behind(call, method, tmp_path, error):
    method.run_recipe = raising(error)
    result = call("vgg16", "--out", "a")
    assert result == type(result)(2, "", "Error: No data set.\n")
    assert not (tmp_path / "a").exists()


def test_interrupted_before_any_result(call, method, tmp_path):
    method.run_recipe = raising(KeyboardInterrupt())
    result = call("vgg16", "--out", "here")
    assert (result.code, result.err) == (130, "Interrupted. Nothing was written.\n")
    assert not (tmp_path / "here").exists()


def test_interrupted_in_the_middle_says_where_the_partial_run_lies(call, method, tmp_path):
    def stop(config, run, **_):
        run.write_text("config.toml", "partial")
        raise KeyboardInterrupt

    method.run_recipe = stop
    result = call("vgg16", "--out", "here")
    assert (result.code, result.err) == (130, "Interrupted. The partial run is in here.\n")
    assert (tmp_path / "here" / "config.toml").read_text() == "partial"


def test_a_bug_keeps_its_traceback(call, method, monkeypatch):
    method.run_recipe = raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        call("vgg16")


def test_tensorflow_is_told_to_be_quiet(call, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    call("vgg16", "--help")
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"


def raising(error):
    def run(*_, **__):
        raise error

    return run
