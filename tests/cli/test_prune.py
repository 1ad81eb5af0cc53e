"""`keras-prune prune`, `taylor` and `sensitivity` on real files, with trainings of a moment."""

import csv
import json
import tomllib

import keras
import pytest

from keras_prune import zoo
from keras_prune.cli.prune import configuration_of
from keras_prune.cli.settings import adapted, loaded
from keras_prune.methods.registry import available
from keras_prune.training.config import CommonConfig

TINY = ["--dataset", "digits", "--batch-size", 32, "--finetune-epochs", 1]
TINY += ["--calibration-images", 50]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "model.keras"
    zoo.conv248((8, 8, 1)).save(path)
    return path


def test_a_model_of_the_users_is_cut_to_its_budget(call, file, tmp_path):
    options = ["--macs", 0.5, "--criterion", "l1", "--exclude", "conv1", "--steps", 2, "--distill"]
    options += ["--min-channels", 2, "--max-ratio", 0.8, "--normalize", "max", "--rescale", "1/255"]
    done = call("prune", file, *TINY, *options, "--out", "run", "--tensorboard", "logs")
    assert done.code == 0, done.err
    shown = " ".join(done.out.split())  # a long path folds the title
    assert "pruned by ranking" in shown and "Parameters by layer" in shown
    run = tmp_path / "run"
    report = json.loads((run / "report.json").read_text())
    assert report["after"]["macs"] <= 0.5 * report["before"]["macs"]
    assert keras.models.load_model(run / "pruned.keras").get_layer("conv1").filters == 2
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["prune"] == config["prune"] | {"macs": 0.5, "steps": 2, "exclude": ["conv1"]}
    kept = {"min_channels": 2, "max_ratio": 0.8, "normalize": "max"}
    assert config["prune"] == config["prune"] | kept
    assert config["common"]["rescale"] == 1 / 255
    assert config["distillation"]["alpha"] == 0.5
    assert {path.name for path in (tmp_path / "logs").iterdir()} >= {"fine-tune", "network"}


def test_a_training_for_sparsity_and_ratios_of_single_groups(call, driver, file):
    done = call("prune", file, "--dataset", "digits", "--ratios", "a=0.5", "--ratios", "b*=1/4",
                "--sparse-training", "growing")  # fmt: skip
    assert done.code == 0, done.err
    config = driver.calls[0]["config"]
    assert config.prune.ratios == {"a": 0.5, "b*": 0.25}
    assert (config.sparse_training.kind, config.sparse_training.total) == ("growing", 1.0)


@pytest.mark.slow
def test_a_budget_among_the_options_replaces_that_of_the_file(call, file, tmp_path):
    (tmp_path / "my.toml").write_text("[prune]\nmacs = 0.9\n")
    for options, budget in ((["--params", 0.5], {"params": 0.5}), ([], {"macs": 0.9})):
        out = next(iter(budget))
        done = call("prune", file, *TINY, *options, "--config", "my.toml", "--out", out)
        assert done.code == 0, done.err
        prune = tomllib.loads((tmp_path / out / "config.toml").read_text())["prune"]
        assert {name: prune[name] for name in ("macs", "params") if name in prune} == budget


@pytest.mark.slow
def test_taylor_prunes_the_papers_small_network(call, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    done = call("taylor", *TINY, "--epochs", 1, "--out", "run")
    assert done.code == 0, done.err
    assert "conv248 on digits" in done.out
    with (tmp_path / "run" / "layers.csv").open() as rows:
        total = [int(row["parameters_before"]) for row in csv.DictReader(rows)]
    assert sum(total) == 63_122
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["after"]["parameters"] <= 23_617


def test_sensitivity_as_table_file_and_picture(call, file, tmp_path):
    options = ["--dataset", "digits", "--criterion", "l1", "--images", 100, "--ratio", 0.5]
    done = call("sensitivity", file, *options, "--csv", "s.csv", "--plot", "s.svg")
    assert done.code == 0, done.err
    assert "channels ranked by l1" in done.out
    with (tmp_path / "s.csv").open() as rows:
        found = list(csv.DictReader(rows))
    assert [(row["group"], row["channels"], row["kept"]) for row in found] == [
        ("none", "14", "14"), ("conv1", "2", "1"), ("conv2", "4", "2"), ("conv3", "8", "4"),
    ]  # fmt: skip
    assert "<svg" in (tmp_path / "s.svg").read_text()
    again = json.loads(call("sensitivity", file, *options, "--json").out)
    assert [row["accuracy"] for row in again] == [float(row["accuracy"]) for row in found]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "digits"], "one budget"),
        (["--dataset", "digits", "--macs", 0.5, "--ratio", 0.5], "one budget"),
        (["--dataset", "digits", "--macs", 1.5], "macs"),
        (["--dataset", "digits", "--macs", 1.0], "would change nothing"),
        (["--dataset", "digits", "--macs", 0.5, "--criterion", "tailor"], "'tailor' is not one of"),
        (["--dataset", "digits", "--macs", 0.5, "--exclude", "konv*"], "konv*"),
        (["--dataset", "digits", "--macs", 0.5, "--exclude", "*"], "keeps every group whole"),
        (["--dataset", "digits", "--ratios", "a=1", "--ratios", "a=0.5"], "a is given twice"),
        (["--dataset", "digit", "--macs", 0.5], "Did you mean 'digits'"),
        (["--macs", 0.5], "Missing option '--dataset'"),
        (["--dataset", "digits", "--macs", 0.5, "--mlflow", "http://127.0.0.1:9"], "MLflow"),
        (["--dataset", "digits", "--method", "rank"], "'rank' is not one of 'filter_agent'"),
        (["--dataset", "digits", "--config", "rnp.toml", "--macs", 0.5], "Received: --method rnp"),
        (
            ["--dataset", "digits", "--config", "rnp.toml", "--method", "magnitude"],
            "Expected a configuration of the method magnitude",
        ),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(call, file, tmp_path, arguments, words):
    (tmp_path / "rnp.toml").write_text("method = 'rnp'\n")
    done = call("prune", file, *arguments, "--out", "run")
    assert (done.code, done.out) == (2, "")
    assert words in done.err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("method", "option", "owners"),
    [
        ("ranking", ["--b", 1], "filter_agent"),
        ("ranking", ["--price", -1], "rnp"),
        ("rl_pruner", ["--latency", 0.5], "ranking"),
        ("magnitude", ["--macs", 0.5], "ranking, rl_pruner"),
        ("filter_agent", ["--sparsity", 0.5], "magnitude"),
        ("rnp", ["--distill"], "ranking, filter_agent, magnitude, rl_pruner"),
        ("magnitude", ["--stages", 2], "rl_pruner"),
    ],
)
def test_an_option_of_another_method_is_refused(call, file, method, option, owners):
    done = call("prune", file, "--dataset", "digits", "--method", method, *option)
    assert (done.code, done.out) == (2, "")
    said = f"Error: {option[0]} belongs to --method "
    assert done.err.startswith(said) and done.err.endswith(f"Received: --method {method}.\n")
    named = done.err.removeprefix(said).split(". ")[0].split(", ")
    assert sorted(named) == sorted(owners.split(", "))


@pytest.mark.parametrize("method", available())
def test_a_method_has_the_settings_of_its_recipe_for_any_model(call, driver, file, method):
    budget = ["--macs", 0.75] if method in ("ranking", "rl_pruner") else []
    done = call("prune", file, "--dataset", "digits", "--method", method, *budget, "--seed", 3)
    assert done.code == 0, done.err
    config = driver.calls[0]["config"]
    recipe = loaded(
        adapted(configuration_of(method), {"prune": {"macs": 0.75}} if budget else {}, "digits")
    )
    assert config.common == CommonConfig(str(file), "digits", batch_size=32, seed=3)
    assert (config.prune, config.recovery, config.finetune, config.distillation) == (
        recipe.prune, recipe.recovery, recipe.finetune, recipe.distillation,
    )  # fmt: skip


def test_the_method_of_a_file_counts_where_no_option_names_one(call, driver, file, tmp_path):
    (tmp_path / "my.toml").write_text("method = 'rnp'\n[prune]\nsets = 2\n")
    done = call("prune", file, "--dataset", "digits", "--config", "my.toml")
    assert done.code == 0, done.err
    assert (driver.calls[0]["config"].method, driver.calls[0]["config"].prune.sets) == ("rnp", 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ratio", 1.0], "between 0 and 1"),
        (["--plot", "s.pdf"], ".svg or .png"),
        (["--criterion", "l3"], "'l3' is not one of 'l1', "),
        (["--precision", "float8"], "'float8' is not one of 'float32', "),
    ],
)
def test_mistakes_of_sensitivity(call, file, arguments, words):
    done = call("sensitivity", file, "--dataset", "digits", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err.splitlines()[-1]
