import io

import pandas as pd
import pytest
from rich.console import Console

from keras_prune.cli.tables import cell, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(14995146, "14,995,146"), (84.444, "84.44"), (-0.5, "-0.50"), (float("nan"), ""), ("a", "a")],
)
def test_cells(value, text):
    assert cell(value) == text


def test_a_frame_as_a_table():
    out = io.StringIO()
    frame = pd.DataFrame({"group": ["conv1"], "kept_percent": [25.0]})
    Console(file=out, width=60).print(table(frame, "Channels kept"))
    assert out.getvalue().startswith("Channels kept")
    assert "kept (%)" in out.getvalue() and "25.00" in out.getvalue()
