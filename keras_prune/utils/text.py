"""Text of others on its way to a terminal, a table or a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras_prune.utils.redaction import redacted

if TYPE_CHECKING:
    import pandas as pd

_KEPT = "\xa0\u200c\u200d"
"""Not printable to Python, but some languages and signs are written with them."""


def printable(text: str) -> str:
    """A text with all that steers a terminal, or is no character at all, shown as Python writes it.

    Such are line breaks, escapes, marks that turn the direction, and halves of characters.

    Example:

    >>> print(printable("\\x1b[31mconv\\n"), printable("\\udcff, café"))
    \\x1b[31mconv\\n \\udcff, café
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in _KEPT else sign.encode("unicode_escape").decode()
        for sign in text
    )


def shown(value: Any, most: int = 100) -> str:
    """What a message says of a value that a file holds: its beginning, as Python writes it.

    Example:

    >>> shown([1, "a"]), shown("b" * 200, most=5)
    ("[1, 'a']", "'bbbb...")
    """
    try:
        text = redacted(repr(value))  # half an address would not be known for one
    except (ValueError, RecursionError):  # a number of more digits, or deeper, than Python writes
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= most else f"{text[:most]}..."


def printable_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts and headings are printable."""
    shown = frame.map(lambda value: printable(value) if isinstance(value, str) else value)
    return shown.rename(columns=lambda name: printable(str(name)))
