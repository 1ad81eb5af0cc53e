"""Scores as a file."""

import json

import numpy as np
import pytest

from keras_prune.errors import PlanError
from keras_prune.scores import ChannelScores

SCORES = ChannelScores(
    {"conv": np.array([0.1, 2.0])}, criterion="lamp", fingerprint="abc",
    unscored={"fc": "it has no norm"},
)  # fmt: skip


def test_a_file_brings_all_of_it_back(tmp_path):
    SCORES.save(tmp_path / "scores.json")
    found = ChannelScores.load(tmp_path / "scores.json")
    assert vars(found) == vars(SCORES)
    np.testing.assert_array_equal(found["conv"], SCORES["conv"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("groups"), "KeyError 'groups'"),
        (lambda data: data["groups"].update(conv=[1.0, None]), "not finite"),
        (lambda data: data["groups"].update(conv="many"), "ValueError"),
        (lambda data: data["groups"].update(conv="1.5"), "has no list of scores"),
        (lambda data: data["groups"].update(conv=[10**400]), "OverflowError"),
        (lambda data: data.update(unscored=[1]), "TypeError"),
        (lambda data: data.update(unscored={"fc": 1}), "have to be texts"),
        (lambda data: data.update(criterion=None), "have to be texts"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, change, message):
    SCORES.save(tmp_path / "scores.json")
    data = json.loads((tmp_path / "scores.json").read_text())
    change(data)
    (tmp_path / "scores.json").write_text(json.dumps(data))
    with pytest.raises(PlanError, match=message):
        ChannelScores.load(tmp_path / "scores.json")


def test_an_absent_file_is_one_line(tmp_path):
    with pytest.raises(PlanError, match="Cannot read the scores"):
        ChannelScores.load(tmp_path / "scores.json")


def test_who_needs_scores_of_all_groups_says_so():
    with pytest.raises(PlanError, match=r"'lamp' has none of fc \(fc: it has no norm\)"):
        SCORES.require_all()
