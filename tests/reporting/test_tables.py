import pytest

from keras_prune.reporting import groups_frame, summary_frame


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
