"""Passwords and tokens in addresses, which no message, log or report repeats."""

import re

HIDDEN = "***"
"""What stands in their place."""

_USER = re.compile(
    r"//[^\s/?#]*@"
    # What should be escaped and is not: spaces, and slashes or signs as SQLAlchemy takes them.
    r"|//[^\s/?#@:]+:[^/?#@\n]*@"
    r"|(?<![^\s/@:'\"=])[^\s/@:'\"=]+:(?!//)\S*@"
)
_KEY = re.compile(
    r"([?&;#][\w.%-]*(?:pass|pwd|token|secret|key|sig|credential|auth|odbc_connect)[\w.%-]*=)"
    r"(?!\*{3})[^\s&'\"]+",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """A text whose addresses name neither who asks nor with what password or token.

    Rather too much is hidden than too little: whatever stands before an `@`, if it looks like a
    user and a password.

    Example:

    >>> redacted("Cannot reach postgresql://me:secret@host/db?token=abc&sslmode=require.")
    'Cannot reach postgresql://***@host/db?token=***&sslmode=require.'
    """
    return _KEY.sub(rf"\1{HIDDEN}", _USER.sub(_hidden, text))


def _hidden(found: re.Match[str]) -> str:
    return f"{'//' if found[0].startswith('//') else ''}{HIDDEN}@"
