"""Passwords and tokens in addresses are hidden, and all else stays."""

import pytest

from keras_prune.utils.reasons import reason
from keras_prune.utils.redaction import redacted
from keras_prune.utils.text import shown

SECRETS = {
    "https://me:s3cret@host:5000/a?b=c": "https://***@host:5000/a?b=c",
    "https://s3cret@host": "https://***@host",
    "postgresql+psycopg2://me:s3cret@host/db": "postgresql+psycopg2://***@host/db",
    # What should be escaped, and is taken by one library or another all the same.
    "http://me:s3c@ret@host": "http://***@host",
    "http://me:s3c ret@host": "http://***@host",
    "postgresql://me:s3c/r@et@host/db": "postgresql://***@host/db",
    "http://me:s3#c?ret@host": "http://***@host",
    "http:/me:s3cret@host": "***@host",
    "me:s3cret@host": "***@host",
    "http://host/?token=s3cret&page=2": "http://host/?token=***&page=2",
    "http://host/?a=1&API_KEY=s3cret#part": "http://host/?a=1&API_KEY=***",
    "postgresql://host/db?user=me&password=s3cret": "postgresql://host/db?user=me&password=***",
    "mssql://?odbc_connect=PWD%3Ds3cret": "mssql://?odbc_connect=***",
    "url: /?token=s3cret/api (Caused by 'x')": "url: /?token=*** (Caused by 'x')",
    "--mlflow='http://me:s3cret@host' --out a": "--mlflow='http://***@host' --out a",
}


@pytest.mark.parametrize(("text", "expected"), SECRETS.items())
def test_what_is_secret_is_hidden_wherever_it_stands(text, expected):
    assert redacted(text) == expected
    assert redacted(f"No store at {text} or {text}.").count("s3") == 0
    assert redacted(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:5000 or sqlite:///runs.db, ask me@host.org",
        "Expected 2 tokens. Received: tokens=3, key='a'.",
        "file:/home/me/runs and C:\\runs",
        "module:function",
        "    @wraps(command)",
        "what?key",
    ],
)
def test_all_else_stays(text):
    assert redacted(text) == text


def test_a_text_is_cut_after_the_secret_is_hidden():
    text = "x" * 80 + " http://me:s3cret-and-a-long-one@host"
    assert "s3cret" not in reason(ValueError(text), limit=100)
    assert "s3cret" not in shown(text)
