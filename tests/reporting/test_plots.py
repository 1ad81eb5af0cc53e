"""Curves as pictures."""

import pandas as pd
import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting.plots import draw_accuracy, draw_sensitivity

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
    draw_accuracy({"baseline": ([1, 2], [70.0, 80.0])}, tmp_path / "epochs.svg")
    assert "baseline" in (tmp_path / "epochs.svg").read_text()


def test_a_png_is_one(tmp_path):
    draw_sensitivity(FRAME, tmp_path / "groups.png")
    assert (tmp_path / "groups.png").read_bytes().startswith(b"\x89PNG")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\.svg or \.png"):
        draw_sensitivity(FRAME, tmp_path / "groups.pdf")
    assert not list(tmp_path.iterdir())
