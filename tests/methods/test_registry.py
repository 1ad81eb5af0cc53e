"""Methods by name, and what all of them are."""

import subprocess
import sys

import pytest

from keras_prune import methods
from keras_prune.errors import ConfigError
from keras_prune.methods.ranking import Ranking, RankingConfig
from keras_prune.methods.registry import entry
from keras_prune.training import DistillationConfig, TrainingConfig

MINIMAL = {
    "filter_agent": {},
    "magnitude": {"sparsity": 0.5, "threshold": "global"},
    "ranking": {"macs": 0.5},
    "rl_pruner": {"macs": 0.5},
    "rnp": {},
}


@pytest.mark.parametrize("name", methods.available())
def test_every_method_is_what_its_row_says(name):
    found = methods.get(name, **MINIMAL[name])
    assert (found.name, type(found).Config) == (name, entry(name).load_config())
    assert type(found).__name__ in dir(methods)


@pytest.mark.parametrize("name", methods.available())
def test_a_method_is_made_again_of_its_configuration(name):
    trainings = {"finetune": TrainingConfig(epochs=3, learning_rate=0.5)}
    given = methods.get(name, **MINIMAL[name], **trainings)
    again = methods.get({"class_name": name, "config": given.get_config()})
    assert again.get_config() == given.get_config()
    assert again.config == given.config
    assert again.finetune == given.finetune == trainings["finetune"]


def test_a_configuration_is_plain_data_with_distillation():
    given = Ranking(macs=0.5, distillation=DistillationConfig(alpha=0.25), exclude=("a",))
    plain = given.get_config()
    assert plain["distillation"] == {"temperature": 4.0, "alpha": 0.25}
    assert Ranking.from_config(plain).distillation == given.distillation
    lists = plain | {"exclude": ["a"]}  # as JSON has it
    assert Ranking.from_config(lists).config == given.config


def test_a_method_and_a_configuration_are_taken_as_they_are():
    given = Ranking(macs=0.5)
    assert methods.get(given) is given
    config = RankingConfig(macs=0.25)
    assert Ranking(config).config is config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: methods.get("rankng"), "Unknown method 'rankng'. Did you mean 'ranking'"),
        (lambda: methods.get({"config": {}}), "Unknown method 'None'"),
        (lambda: methods.get(7), "Expected a method: .* Received: 7"),
        (lambda: methods.get(Ranking(macs=0.5), macs=0.4), "a method without options"),
        (lambda: methods.get("ranking", mac=0.5), "mac.* Did you mean 'macs'"),
        (lambda: methods.get("ranking", macs="half"), "ranking.macs expects a number"),
        (lambda: methods.get("ranking", macs=0.5, criterion="taylr"), "Did you mean 'taylor'"),
        (lambda: Ranking(RankingConfig(macs=0.5), macs=0.4), "Expected a RankingConfig, or its f"),
        (lambda: Ranking({"macs": 0.5}), "Expected a RankingConfig"),
        (lambda: methods.get("ranking", macs=0.5, finetune={"epoch": 3}), "Did you mean 'epochs'"),
    ],
)
def test_mistakes_are_named_in_one_line(make, message):
    with pytest.raises(ConfigError, match=message) as told:
        make()
    assert "\n" not in str(told.value)


def test_configurations_need_neither_keras_nor_tensorflow():
    code = (
        "import sys; from keras_prune.methods.registry import available, entry;"
        "[entry(name).load_config() for name in available()];"
        "print({'keras', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
