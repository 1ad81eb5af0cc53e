"""Text of others steers no terminal."""

import pandas as pd
import pytest

from keras_prune.utils.text import printable, printable_frame, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]8;;http://x\x07link\x9b1m\x7f", r"\x1b]8;;http://x\x07link\x9b1m\x7f"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("\ud800 and \udcff", r"\ud800 and \udcff"),
        ("Übergrößen [red]漢字\N{GRINNING FACE} \xa0\u200d", None),
    ],
)
def test_what_is_no_sign_is_escaped_and_all_else_stays(text, expected):
    assert printable(text) == (expected or text)
    assert printable(printable(text)) == printable(text)


def test_a_table_and_its_headings():
    frame = pd.DataFrame({"a\x1b": ["\x1b[31m", "b"], "n": [1.5, 2]})
    found = printable_frame(frame)
    assert found.to_dict("list") == {r"a\x1b": [r"\x1b[31m", "b"], "n": [1.5, 2]}


def test_any_value_can_be_shown():
    deep: list = []
    for _ in range(10**5):
        deep = [deep]
    assert shown(16**6000) == "a int too large to show"
    assert shown(deep) == "a list too large to show"
    assert shown("\x1b" * 1000) == "'" + r"\x1b" * 24 + r"\x1..."
