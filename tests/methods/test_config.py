"""Configurations of whole runs: those that are shipped, those of former versions, and mistakes."""

import tomllib
import warnings
from pathlib import Path

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.config import RunConfig, load_run, plain, sections, typed
from keras_prune.methods.registry import available, entry
from keras_prune.utils.config import load, merge, override, to_toml

SHIPPED = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in (Path(__file__).parents[2] / "configs").glob("*.toml")
}
OVER = ("-digits", "-cifar10", "-30x", "-56x")
"""Endings of files that say only what differs from the file without them."""


def whole(name):
    """A shipped configuration, over the one it changes."""
    base = next((name.removesuffix(end) for end in OVER if name.endswith(end)), None)
    return SHIPPED[name] if base is None else merge(whole(base), SHIPPED[name])


@pytest.mark.parametrize("name", sorted(SHIPPED.keys() - {"train", "prune"}))
def test_every_shipped_configuration_is_one_and_survives_a_round_trip(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none uses a former key
        config = load_run(whole(name))
        assert load_run(tomllib.loads(to_toml(config))) == config
    assert isinstance(config.prune, entry(config.method).load_config())
    assert load_run(plain(config)) == config


def test_the_configuration_of_a_users_own_model_lacks_only_a_budget():
    with pytest.raises(ConfigError, match="Expected one budget"):
        load_run(SHIPPED["prune"])
    assert load_run(merge(SHIPPED["prune"], {"prune": {"macs": 0.5}})).prune.macs == 0.5


def test_there_are_files_for_every_method():
    assert {data["method"] for data in SHIPPED.values()} == {*available(), "train"}


FORMER = {
    "filter_agent": (
        {"prune": {"b": 2.0, "images": 100, "max_steps": 9}},
        {"prune": {"b": 2.0, "reward_images": 100, "max_updates": 9}},
    ),
    "magnitude": (
        {
            "prune": {
                "iterations": 4,
                "threshold": "global",
                "sparsity": 0.5,
                "retrain": {"epochs": 2, "learning_rate": 0.5},
            },
            "test": {"turns": 3, "values": 16},
        },
        {
            "prune": {
                "steps": 4, "threshold": "global", "sparsity": 0.5, "turns": 3, "values": 16
            },
            "recovery": {"epochs": 2, "learning_rate": 0.5},
            "finetune": {"epochs": 2, "learning_rate": 0.5},
        },
    ),
    "ranking": (
        {"prune": {"criterion": "l1", "macs": 0.5, "images": 7}},
        {"prune": {"criterion": "l1", "macs": 0.5, "calibration_images": 7}},
    ),
    "rl_pruner": (
        {"prune": {"macs": 0.5, "stages": 3, "rounds": 5, "images": 7}},
        {"prune": {"macs": 0.5, "steps": 3, "updates": 5, "reward_images": 7}},
    ),
    "rnp": (
        {
            "prune": {"sets": 2, "rounds": 3, "images": 7},
            "finetune": {"epochs": 2, "learning_rate": 0.5},
        },
        {
            "prune": {"sets": 2, "steps": 3, "calibration_images": 7},
            "recovery": {"epochs": 2, "learning_rate": 0.5},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", available())
def test_keys_of_former_versions_are_taken_and_each_is_told(method):
    former, now = FORMER[method]
    with pytest.warns(FutureWarning) as told:
        found = load_run({"common": {"seed": 5}, **former})
    assert found == load_run({"method": method, "common": {"seed": 5}, **now})
    sentences = [str(one.message) for one in told]
    assert sentences[0] == (f'A configuration says its method now: add method = "{method}" on top.')
    assert all(" is called " in sentence and "\n" not in sentence for sentence in sentences[1:])
    assert len(sentences) == 1 + {"rnp": 3, "rl_pruner": 3, "magnitude": 4, "filter_agent": 2}.get(
        method, 1
    )


def test_a_training_of_its_own_at_the_end_stays():
    former = merge(
        FORMER["magnitude"][0], {"prune": {"final": {"epochs": 9, "learning_rate": 0.25}}}
    )
    with pytest.warns(FutureWarning):
        found = load_run({"method": "magnitude", **former})
    assert (found.recovery.epochs, found.finetune.epochs) == (2, 9)


def test_todays_word_wins_and_the_former_one_beside_it_is_refused():
    both = {"method": "ranking", "prune": {"macs": 0.5, "images": 7, "calibration_images": 9}}
    with pytest.raises(ConfigError, match="'images'"):
        load_run(both)


def test_what_was_read_is_not_changed():
    former = {"prune": {"macs": 0.5, "stages": 3}}
    with pytest.warns(FutureWarning):
        load_run(former)
    assert former == {"prune": {"macs": 0.5, "stages": 3}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, 'Missing key \'method\'. Add for example method = "ranking" on top'),
        ({"method": 3}, "method expects a string. Received: 3"),
        ({"method": "rankng"}, "Unknown method 'rankng'. Did you mean 'ranking'"),
        ({"method": "train"}, "Unknown method 'train'"),
        ({"method": "ranking"}, "Missing key 'prune'"),
        ({"method": "ranking", "prune": {"mac": 1}}, r"\[prune\] 'mac'. Did you mean 'macs'"),
        ({"method": "ranking", "prune": {"b": 1}}, r"Unknown key in \[prune\] 'b'"),
        ({"method": "rnp", "retrain": {}}, "Unknown key in the configuration 'retrain'"),
        (
            {"method": "rnp", "train": {"epochs": "2", "learning_rate": 1}},
            "train.epochs expects an integer. Received: '2'",
        ),
        (
            {"method": "rnp", "common": {"precision": "float16"}},
            "common.precision 'float16'",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named_in_one_line(data, message):
    with pytest.raises(ConfigError, match=message) as told:
        load_run(data)
    assert "\n" not in str(told.value)


def test_a_method_of_defaults_alone_needs_no_section():
    found = load_run({"method": "rnp"})
    assert found == load(typed("rnp"), {"method": "rnp"})
    assert isinstance(found, RunConfig)
    assert found.prune == entry("rnp").load_config()()


def test_single_keys_are_changed_and_checked():
    found = load_run({"method": "ranking", "prune": {"macs": 0.5}})
    assert override(found, {"prune.macs": 0.25}).prune.macs == 0.25
    with pytest.raises(ConfigError, match="Did you mean 'macs'"):
        override(found, {"prune.mac": 0.25})
    assert sections() == (
        "prune", "common", "train", "recovery", "finetune", "distillation", "sparse_training",
    )  # fmt: skip
