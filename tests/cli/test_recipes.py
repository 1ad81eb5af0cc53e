"""The recipe commands: what they pass on, what they print, how they fail."""

import os
import re
from pathlib import Path

import pytest

from keras_prune.cli.method_options import method_settings
from keras_prune.cli.recipes import RECIPES
from keras_prune.cli.settings import adapted, loaded, shipped
from keras_prune.utils.config import dotted, to_dict

# Of options that other values would be refused of.
VALUES = {
    "agent_learning_rate": 0.25, "augment": False, "balance": 0.125, "criterion": "l1",
    "curve": True, "dataset": "mnist", "deterministic": True, "exclude": ("conv1", "block5_*"),
    "latency": 0.5,
    "model": "conv248", "normalize": "max", "precision": "mixed_bfloat16", "price": -0.25,
    "ratios": {"conv1": 0.25, "block5_*": 0.5},
    "scope": "global", "sparsity": 0.75, "threshold": "erk", "weights": "w.keras",
}  # fmt: skip
NOT_WITH_EACH_OTHER = {"macs", "params", "ratio", "latency"}


def other(setting):
    """A value of a setting that is not its default."""
    if setting.name in VALUES:
        return VALUES[setting.name]
    return 17 if setting.kind is int else 0.375


def arguments(name, value):
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [part for each in value for part in (flag, each)]
    if isinstance(value, dict):
        return [part for pair in value.items() for part in (flag, "{}={}".format(*pair))]
    return [flag, value]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_option_reaches_the_configuration(call, driver, tmp_path, recipe):
    settings = dict(method_settings(RECIPES[recipe].method))
    if not RECIPES[recipe].model:
        del settings["model"]
    values = {name: other(each) for name, each in settings.items()}
    budgets = [name for name in values if name in NOT_WITH_EACH_OTHER]
    for name in budgets[1:]:
        del values[name]
    for name in ("scores", "blocks"):  # which are for a single step
        values.pop(name, None)
    given = [part for name, value in values.items() for part in arguments(name, value)]
    result = call(recipe, *given)
    assert result.code == 0, result.err
    found = dotted(to_dict(driver.calls[0]["config"]))
    values["weights"] = str(tmp_path / "w.keras")
    values |= {f"ratios.{k}": v for k, v in values.pop("ratios", {}).items()}
    for name, value in values.items():
        first, _, rest = name.partition(".")
        assert found[settings[first].key + (f".{rest}" if rest else "")] == value, name
    for name in budgets[1:]:  # what the shipped configuration says of another budget is gone
        assert found[settings[name].key] is None, name


def test_blocks_may_leave(call, driver):
    assert call("taylor", "--steps", 1, "--blocks").code == 0
    assert to_dict(driver.calls[0]["config"])["prune"]["blocks"] is True
    refused = call("taylor", "--steps", 2, "--blocks")
    assert refused.code == 2 and "blocks: expected steps=1" in refused.err


@pytest.mark.parametrize("recipe", RECIPES)
def test_help_tells_the_defaults_of_the_recipe(call, recipe):
    shown = " ".join(call(recipe, "--help").out.split())
    settings = method_settings(RECIPES[recipe].method)
    found = dotted(shipped(recipe))
    for setting in settings.values():
        if setting.name == "model" and not RECIPES[recipe].model:
            continue
        assert f"--{setting.name.replace('_', '-')}" in shown
        default = found.get(setting.key, setting.default)
        if isinstance(default, int | float | str) and not isinstance(default, bool):
            assert f"[default: {default}]" in shown, setting.name
    for former in ("--images ", "--stages", "--iterations", "--max-steps", "--num-episodes"):
        assert former not in shown


@pytest.mark.parametrize("recipe", [*RECIPES, "rl-pruner-quick"])
@pytest.mark.parametrize("dataset", ["cifar10", "digits"])
def test_the_shipped_configurations_are_whole(recipe, dataset):
    config = loaded(adapted(recipe, {}, dataset))
    assert config.method == RECIPES[recipe.removesuffix("-quick")].method
    assert shipped(f"{recipe}-digits").get("method", config.method) == config.method


def test_a_run_ends_with_tables_and_the_run_directory(call, driver):
    result = call("vgg16", "--b", 1.0, "--dataset", "digits", "--out", "here")
    assert result.code == 0
    for text in ("vgg16 on digits, pruned by filter_agent", "block1_conv1", "14,995,146", "98.25"):
        assert text in result.out
    assert "Not pruned: logits: it is the model's output" in result.out
    assert "Note: The plan of block1_conv1 was backed off." in result.out
    assert "Parameters by layer" in result.out
    assert result.out.endswith("Run directory: here\n")
    assert re.search(r"^group conv1  2/2  reward=0.75 kept=10  elapsed 0:00:0", result.err, re.M)


def test_options_win_over_the_file_which_wins_over_the_recipe(call, driver, tmp_path):
    (tmp_path / "my.toml").write_text("[prune]\nb = 2\nsamples = 3\n[common]\nseed = 4\n")
    call("vgg16", "--config", "my.toml", "--samples", 7, "--data-dir", "d", "--workers", 3)
    config = driver.calls[0]["config"]
    assert (config.prune.b, config.prune.samples, config.common.seed) == (2.0, 7, 4)
    assert driver.calls[0]["data_dir"] == Path("d")
    assert (driver.calls[0]["workers"], driver.calls[0]["stage"]) == (3, None)


def test_the_recipes_own_configuration_is_the_default(call, driver):
    call("vgg16")
    config = driver.calls[0]["config"]
    assert (config.common.model, config.common.dataset, config.prune.b) == ("vgg16", "cifar10", 1.0)
    assert re.fullmatch(r"runs/vgg16-\d{8}-\d{6}", driver.calls[0]["run"].path.as_posix())


@pytest.mark.parametrize("where", ["option", "file"])
def test_a_data_set_may_change_the_recipe_and_the_user_both(call, driver, tmp_path, where):
    text = "[prune]\nmax_updates = 99\n" + ("[common]\ndataset = 'digits'\n" * (where == "file"))
    (tmp_path / "my.toml").write_text(text)
    call("vgg16", "--config", "my.toml", *(["--dataset", "digits"] * (where == "option")))
    config = driver.calls[0]["config"]
    assert config.common.dataset == "digits"
    assert config.common.batch_size == 32  # of vgg16-digits.toml
    assert config.train.weight_decay == 5e-3  # of vgg16.toml
    assert config.prune.max_updates == 99  # the user's own


def test_quick_takes_the_small_configuration(call, driver):
    for out, arguments in enumerate(([], ["--quick"])):
        assert call("rl-pruner", "--out", out, *arguments).code == 0
    assert [call["config"].common.model for call in driver.calls] == ["resnet56", "resnet20"]


def test_distillation_is_off_unless_asked_for(call, driver, tmp_path):
    (tmp_path / "my.toml").write_text("[distillation]\nalpha = 0.9\n")
    for out, arguments in enumerate(([], ["--distill"], ["--distill", "--config", "my.toml"])):
        assert call("vgg16", "--out", out, *arguments).code == 0
    off, default, mine = (call["config"].distillation for call in driver.calls)
    assert off is None
    assert (default.temperature, default.alpha) == (4.0, 0.5)
    assert (mine.temperature, mine.alpha) == (4.0, 0.9)


@pytest.mark.parametrize(
    ("line", "key", "value", "now"),
    [
        ("vgg16 --max-steps 7", "prune.max_updates", 7, "--max-updates"),
        ("vgg16 --validation-images 70", "prune.reward_images", 70, "--reward-images"),
        ("lenet5 --iterations 7", "prune.steps", 7, "--steps"),
        ("taylor --images 70", "prune.calibration_images", 70, "--calibration-images"),
        ("rl-pruner --images 70", "prune.reward_images", 70, "--reward-images"),
        ("rl-pruner --stages 7", "prune.steps", 7, "--steps"),
        ("rnp --rounds 7", "prune.steps", 7, "--steps"),
        ("rnp --num-episodes-rl 7", "prune.episodes", 7, "--episodes"),
        ("rnp --finetune-steps-cnn 7", "recovery.steps_per_epoch", 7, "--finetune-steps"),
    ],
)
def test_former_options_go_on_working_with_a_warning(call, driver, line, key, value, now):
    result = call(*line.split())
    assert result.code == 0, result.err
    former = line.split()[1]
    assert result.err.splitlines()[0] == f"Warning: {former} is called {now} now."
    assert dotted(to_dict(driver.calls[0]["config"]))[key] == value


def test_former_keys_of_a_file_go_on_working_with_a_warning(call, driver, tmp_path):
    (tmp_path / "my.toml").write_text("[prune]\niterations = 2\n[prune.retrain]\nepochs = 7\n")
    result = call("lenet5", "--config", "my.toml")
    assert result.code == 0, result.err
    config = driver.calls[0]["config"]
    assert (config.prune.steps, config.recovery.epochs) == (2, 7)
    assert config.recovery.weight_decay == 5e-3  # of lenet5.toml
    warned = [line for line in result.err.splitlines() if line.startswith("Warning: ")]
    assert warned[0] == "Warning: my.toml: The key prune.iterations is called prune.steps now: " + (
        "rename it."
    )


def test_the_short_name_of_the_price_stays(call, driver):
    call("rnp", "-p", -0.5)
    assert driver.calls[0]["config"].prune.price == -0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg16", "--b", "0"], "b to be a positive number"),
        (["vgg16", "--b", "-1"], "Received: -1.0."),
        (["vgg16", "--b", "nan"], "'--b': expected a finite number. Received: nan."),
        (["vgg16", "--b", "inf"], "expected a finite number. Received: inf."),
        (["vgg16", "--b", "one"], "'one' is not a valid float"),
        (["vgg16", "--samples", "0"], "samples to be at least 2. Received: 0."),
        (["vgg16", "--epochs", "0"], "epochs to be at least 1, at most a million. Received: 0."),
        (["vgg16", "--precision", "half"], "'half' is not one of 'float32', 'mixed_bfloat16'"),
        (["vgg16", "--sampel", "1"], "No such option '--sampel'. Did you mean '--samples'?"),
        (["vgg16", "--model", "vgg19"], "No such option '--model'"),
        (["vgg16", "extra"], "unexpected extra argument"),
        (["vgg61"], "No such command 'vgg61'. Did you mean 'vgg16'?"),
        (["vgg16", "--config", "absent.toml"], "Cannot read the configuration absent.toml"),
        (["vgg16", "--config", "typo.toml"], "[prune] 'sampels'. Did you mean 'samples'?"),
        (["vgg16", "--config", "broken.toml"], "broken.toml is not valid TOML"),
        (["vgg16", "--config", "type.toml"], "prune.b expects a number. Received: 'high'."),
        (["vgg16", "--config", "distill.toml"], "[distillation] 'alhpa'. Did you mean 'alpha'?"),
        (["taylor", "--config", "method.toml"], "Expected a configuration of the method ranking"),
        (["lenet5", "--sparsity", "1"], "sparsity to be a fraction of zero weights in [0, 1)"),
        (["vgg16", "--mlflow", "http://127.0.0.1:9"], "127.0.0.1:9: Connection refused. Start a"),
        (["vgg16", "--mlflow", "runs"], "Expected the URI of an MLflow store"),
        (["vgg16", "--tensorboard", "typo.toml"], "Cannot write TensorBoard's logs to typo.toml"),
        (["vgg16", "--out", "used"], "used is not empty. A run is never overwritten"),
        (["vgg16", "--out", "typo.toml"], "Cannot write the run directory typo.toml"),
        (["vgg16", "--out", "/proc/here"], "Cannot write the run directory /proc/here"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, driver, tmp_path, arguments, message):
    (tmp_path / "typo.toml").write_text("[prune]\nsampels = 3\n")
    (tmp_path / "broken.toml").write_text("[prune\nb = ")
    (tmp_path / "type.toml").write_text("[prune]\nb = 'high'\n")
    (tmp_path / "method.toml").write_text("method = 'rnp'\n")
    (tmp_path / "distill.toml").write_text("[distillation]\nalhpa = 0.9\n")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "report.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    result = call(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", result.err)
    assert message in result.err
    assert not driver.calls
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--macs", 0.5], "Leave out --macs"),
        (["--quick"], "Leave out --quick"),
        (["--out", "there"], "Leave out --out"),
        ([], "Expected the directory of a run"),
    ],
)
def test_a_run_goes_on_with_its_own_settings(call, driver, arguments, words):
    done = call("rl-pruner", "--resume", ".", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_run_goes_on_as_its_files_say(call, driver, tmp_path):
    (tmp_path / "run").mkdir()
    text = 'method = "ranking"\n[prune]\nmacs = 0.5\n'
    (tmp_path / "run" / "config.toml").write_text(text)
    (tmp_path / "run" / "other").touch()
    for command in (["taylor", "--resume"], ["prune", "--resume"], ["train", "--resume"], ["run"]):
        (tmp_path / "run" / "config.toml").write_text(text)
        assert call(*command, "run", "--workers", 2).code == 0
    assert len(driver.calls) == 4
    for found in driver.calls:
        assert found["config"].prune.macs == 0.5
        assert (found["run"].path, found["workers"]) == (Path("run"), 2)


def test_tensorflow_is_told_to_be_quiet(call, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    call("vgg16", "--help")
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
