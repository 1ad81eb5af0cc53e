"""What a foreign error says, in one line."""

import re

from keras_prune.utils.redaction import redacted

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CALLS = re.compile(r"^Exception encountered when calling \S+\.call\(\)\.\s*")
_STACK = re.compile(r"^in user code:\n.*?\n    \w+: ", re.DOTALL)
_REST = re.compile(r"\n\s*Arguments received by ")


def reason(error: BaseException, limit: int = 200, *, first_line: bool = False) -> str:
    """The cause in an error's message: no colours, no lists of arguments, no config, no password.

    Keras puts what happened behind a layer's whole config, or between the name of each layer around
    and the arguments it received.

    Args:
        error: what a library raised.
        limit: the most characters.
        first_line: leave out what stands behind it, with a converter or a loader a trace.

    Example:

    >>> reason(TypeError("Error when deserializing X.\\n\\nException encountered: no 'trainable'"))
    "no 'trainable'"
    """
    text = _COLOURS.sub("", str(error)).strip().rpartition("Exception encountered: ")[2]
    text = _STACK.sub("", text)
    while _CALLS.match(text):
        text = _CALLS.sub("", text)
    cause = _REST.split(text)[0].strip().split("\n" if first_line else "\n\n")[0]
    return redacted(" ".join(cause.split()))[:limit] or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python or TensorFlow, which need not be imported here, had not enough memory."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
