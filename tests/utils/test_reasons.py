"""Foreign errors in one line."""

from keras_prune.utils.reasons import reason


def test_the_cause_is_told_and_nothing_else():
    config = "Error when deserializing class 'X' using config={'n': 1}.\n\nException encountered: "
    assert reason(TypeError(config + "X() got an 'n'")) == "X() got an 'n'"
    outer = "Exception encountered when calling A.call().\n\n\x1b[1m"
    text = outer + "Exception encountered when calling B.call().\n\n\x1b[1mtoo\nsmall\x1b[0m"
    assert reason(ValueError(text + "\n\nArguments received by B.call():\n  x=1")) == "too small"
    assert reason(KeyError()) == "KeyError"


def test_what_tensorflow_put_a_stack_before():
    stack = 'in user code:\n\n    File "x.py", line 4, in outputs  *\n        f(x)\n\n'
    assert reason(ValueError(stack + "    ValueError: too small\n"), first_line=True) == "too small"
