"""Curves as pictures."""

import pandas as pd
import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting.plots import draw_curves, draw_sensitivity, draw_shares

FRAME = pd.DataFrame(
    {
        "group": ["conv1", "conv1", "conv2", "conv2"],
        "ratio": [0.2, 0.6, 0.2, 0.6],
        "accuracy": [90.0, 80.0, 91.0, 40.0],
    }
)


def test_every_group_and_training_has_a_line_with_its_name(tmp_path):
    draw_sensitivity(FRAME, tmp_path / "groups.svg")
    text = (tmp_path / "groups.svg").read_text()
    assert "conv1" in text
    assert "conv2" in text
    assert "pruning ratio" in text


@pytest.mark.parametrize(
    ("objective", "unit", "label"),
    [("accuracy", "%", "validation accuracy (%)"), ("size_mae", "", "validation size mae")],
)
def test_every_training_that_was_validated_has_a_curve(tmp_path, objective, unit, label):
    epochs = [
        {"stage": "recovery 1", "epoch": 1, f"val_{objective}": 70.0},
        {"stage": "recovery 1", "epoch": 2, f"val_{objective}": 80.0},
        {"stage": "blind", "epoch": 1, "loss": 1.0},
    ]
    draw_curves(epochs, objective, unit, 75.0, tmp_path / "epochs.svg")
    text = (tmp_path / "epochs.svg").read_text()
    for shown in ("recovery 1", "unpruned", label):
        assert f"<!-- {shown} -->" in text
    assert "blind" not in text
    draw_curves([], objective, unit, 75.0, tmp_path / "none.svg")
    assert "<!-- unpruned -->" in (tmp_path / "none.svg").read_text()


def test_a_png_is_one(tmp_path):
    draw_sensitivity(FRAME, tmp_path / "groups.png")
    assert (tmp_path / "groups.png").read_bytes().startswith(b"\x89PNG")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\.svg or \.png"):
        draw_sensitivity(FRAME, tmp_path / "groups.pdf")
    assert not list(tmp_path.iterdir())


def test_a_name_is_no_formula(tmp_path):
    names = FRAME["group"].replace({"conv1": "$\\frac$ \x1b"})
    draw_sensitivity(FRAME.assign(group=names), tmp_path / "groups.svg")
    assert "<!-- $\\frac$ \\x1b -->" in (tmp_path / "groups.svg").read_text()
    draw_shares([{"$\\frac$": 0.5, "a": 0.1}], tmp_path / "shares.svg")
