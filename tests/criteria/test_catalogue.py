"""Criteria by name, configuration, and as they are."""

from typing import get_args

import keras
import pytest

from keras_prune import criteria
from keras_prune.criteria import L1, Random, Taylor
from keras_prune.criteria.names import CriterionName
from keras_prune.errors import ConfigError


@pytest.mark.parametrize("name", criteria.available())
def test_every_name_and_its_config(name):
    criterion = criteria.get(name)
    assert criterion.name == name
    again = criteria.get({"class_name": name, "config": criterion.get_config()})
    assert again == criterion and type(again) is type(criterion)
    assert type(criterion).__name__ in criteria.__all__


def test_arguments_go_round():
    criterion = criteria.get({"class_name": "l1", "config": {"reduction": "max"}})
    assert criterion == L1("max")
    assert criterion.get_config() == {"reduction": "max", "consumers": True, "affine": False}
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.25)
    config = Taylor(loss=loss).get_config()
    again = criteria.get({"class_name": "taylor", "config": config})
    assert again.get_config() == config and config["loss"]["config"]["label_smoothing"] == 0.25


def test_configurations_know_every_name():
    assert get_args(CriterionName) == criteria.available()


def test_criteria_pass_as_they_are():
    def mine(graph, data=None):
        return {}

    criterion = Random(seed=5)
    assert criteria.get(criterion) is criterion
    assert criteria.get(mine) is mine


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("tailor", "Unknown criterion 'tailor'. Did you mean 'taylor'?"),
        ({"class_name": "lampe"}, "Unknown criterion 'lampe'. Did you mean 'lamp'?"),
        ({"class_name": "l1", "config": {"consumer": False}}, "Did you mean 'consumers'?"),
        ({"class_name": "random", "config": {"seed": "x"}}, "criterion random.seed expects an int"),
        ({"class_name": "taylor", "config": {"batch_size": 0}}, "Received: batch_size=0"),
        ({"class_name": "taylor", "config": {"loss": "crossentropie"}}, "Received: loss='crosse"),
        ({"name": "l1"}, "Expected a criterion: a name"),
        (3, "Received: 3"),
        (None, "Received: None"),
        (L1, "Expected a criterion"),
    ],
)
def test_bad_identifiers(identifier, message):
    with pytest.raises(ConfigError) as caught:
        criteria.get(identifier)
    assert message in str(caught.value) and "\n" not in str(caught.value)
