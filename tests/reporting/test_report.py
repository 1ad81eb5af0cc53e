import json
from dataclasses import replace
from pathlib import Path

import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting import PruningReport, TrainingReport, summary_frame

RUNS = Path(__file__).parent.parent / "files" / "v0_1" / "finished"


def test_json_round_trip(report):
    assert PruningReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


@pytest.mark.parametrize(("direction", "drop"), [("max", 0.5), ("min", -0.5)])
def test_the_drop_follows_the_direction(report, direction, drop):
    assert replace(report, direction=direction).drop == pytest.approx(drop)


def test_without_test_data_the_drop_is_that_of_the_validation_data(report):
    untested = replace(report, before=replace(report.before, test=None, validation=99.75))
    assert untested.drop == pytest.approx(1.25)


def test_a_wrong_report_is_refused(report):
    data = report.to_dict()
    data["before"]["acuracy"] = 1.0
    with pytest.raises(ConfigError, match=r"\[report.before\] 'acuracy'. Known: .* test, val"):
        PruningReport.from_dict(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": 3}, "report.before expects a table of keys. Received: 3"),
        ({"before": {"test": 1.0}}, r"Missing key 'loss' in \[report.before\]"),
        ({"sed": 1}, "'sed'. Did you mean 'seed'"),
    ],
)
def test_what_is_wrong_with_a_report_is_named(report, change, message):
    with pytest.raises(ConfigError, match=message):
        PruningReport.from_dict(report.to_dict() | change)


def test_a_missing_key_is_named(report):
    data = report.to_dict()
    del data["after"]
    with pytest.raises(ConfigError, match="Missing key 'after'"):
        PruningReport.from_dict(data)


@pytest.mark.parametrize("run", ["taylor", "rl-pruner", "lenet300-100"])
def test_a_report_of_version_0_1_is_read(run):
    data = json.loads((RUNS / run / "report.json").read_text(encoding="utf-8"))
    report = PruningReport.from_dict(data)
    for name in ("before", "after"):
        figures, former = getattr(report, name), data[name]
        assert (figures.test, figures.validation) == (
            former["accuracy"],
            former["validation_accuracy"],
        )
        assert (figures.loss, figures.macs) == (former["loss"], former["macs"])
    assert (report.objective, report.direction, report.resumed) == ("accuracy", "max", 0)
    assert report.drop == data["before"]["accuracy"] - data["after"]["accuracy"]
    assert PruningReport.from_dict(report.to_dict()) == report
    assert len(summary_frame(report)) == 7


def test_a_training_report_of_version_0_1_is_read(report):
    figures = report.to_dict()["before"]
    figures["accuracy"], figures["validation_accuracy"] = figures.pop("test"), 12.0
    del figures["metrics"], figures["validation"]
    made = TrainingReport("lenet5", "digits", 0, {}, ("a",), report.before, 1.0, 2.0)
    data = made.to_dict() | {"figures": figures}
    assert TrainingReport.from_dict(data) == replace(
        made, figures=replace(report.before, validation=12.0)
    )
