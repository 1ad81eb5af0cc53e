from dataclasses import replace

import pandas as pd
import pytest

from keras_prune.reporting import figures_frame, groups_frame, summary_frame
from keras_prune.reporting.tables import markdown


def test_summary(report):
    frame = summary_frame(report).set_index("figure")
    assert frame.loc["Test accuracy (%)", "difference"] == pytest.approx(-0.5)
    assert frame.loc["Parameters", "before"] == 1000
    assert isinstance(frame.loc["Parameters", "after"], int)
    assert frame.loc["FLOPs", "reduction_percent"] == pytest.approx(100 * (1 - 2050 / 8100))
    assert frame["reduction_percent"].isna().sum() == 3


def test_groups(report):
    frame = groups_frame(report)
    assert frame.to_dict("records") == [
        {"group": "conv1", "channels": 64, "kept": 16, "removed": 48, "kept_percent": 25.0},
        {"group": "conv2", "channels": 128, "kept": 128, "removed": 0, "kept_percent": 100.0},
    ]


def test_the_objective_names_its_rows_and_what_was_not_measured_has_none(report):
    of_error = replace(report, objective="size_mae", direction="min")
    shown = summary_frame(of_error)["figure"].tolist()
    assert shown[:3] == ["Test size mae", "Validation size mae", "Test loss"]
    of_loss = summary_frame(replace(report, objective="loss"))["figure"].tolist()
    assert of_loss[:3] == ["Test loss", "Validation loss", "Parameters"]
    untested = replace(report, before=replace(report.before, test=None, loss=None))
    assert summary_frame(untested)["figure"].tolist()[:2] == [
        "Validation accuracy (%)",
        "Parameters",
    ]


def test_figures_of_one_model(report):
    frame = figures_frame(report.before, "dice").set_index("figure")["value"]
    assert frame["Test dice"] == 98.5 and frame["MACs"] == 4000


def test_names_are_no_markup_in_markdown():
    frame = pd.DataFrame({"layer": ["conv2d_1", "_a_|b<img>*[c](d)\x1b"], "macs": [1, 2]})
    rows = markdown(frame).splitlines()[2:]
    assert rows == [
        "| conv2d_1 | 1 |",
        r"| \_a\_\|b\<img\>\*\[c\](d)\\x1b | 2 |",
    ]
