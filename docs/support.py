"""Writes `support.md`: what happens to the channels of each layer and op of Keras.

python docs/support.py
"""

from collections.abc import Iterable
from pathlib import Path

import keras

from keras_prune.graph.rules.base import BarrierRule, Rule, named_rules, rule_of_class

PAGE = Path(__file__).with_name("support.md")
HEAD = """# What can be pruned

Made from the rules by `python docs/support.py`; a test sees to it that it is true.

A layer or op in the first table has a rule: its channels, heads or units leave, or pass through it.
One in the second is a barrier: what reaches it stays, though its multiply-accumulates are counted.
Anything else is a barrier, too, and its work cannot be counted. A layer of yours or a
`Lambda` needs no rule if it is made of layers and `keras.ops`, not of TensorFlow's own functions:
it is opened, also where it has weights of its own, unless the smaller layer that its config makes
would compute something else. Not opened are layers that take or make masks. Statistics over
channels (of `LayerNormalization` and its like) keep their channels, unless `admit_norms` is set;
inside a layer with weights of its own they always do.
"""


def page() -> str:
    """The whole page."""
    found: dict[type[Rule], list[str]] = {}
    for name in sorted(dir(keras.layers)):
        kind = getattr(keras.layers, name)
        if isinstance(kind, type) and issubclass(kind, keras.layers.Layer):
            rule = rule_of_class(kind)
            if rule is not None:
                found.setdefault(type(rule), []).append(name)
    for name, rule in named_rules().items():
        if "." not in name:
            found.setdefault(type(rule), []).append(f"ops: {name}")
    passing = [row for row in found.items() if not issubclass(row[0], BarrierRule)]
    barriers = [row for row in found.items() if issubclass(row[0], BarrierRule)]
    return "\n".join(
        [HEAD, *_table("What leaves", passing), "", *_table("What is known", barriers), ""]
    )


def _table(title: str, rows: Iterable[tuple[type[Rule], list[str]]]) -> list[str]:
    lines = [f"| layers and ops | {title.lower()} |", "|---|---|"]
    for rule, names in rows:
        layers = ", ".join(f"`{name}`" for name in names if not name.startswith("ops: "))
        ops = ", ".join(name[5:] for name in names if name.startswith("ops: "))
        both = [layers] * bool(layers) + [f"of `keras.ops`: {ops}"] * bool(ops)
        lines.append(f"| {'; '.join(both)} | {_says(rule)} |")
    return lines


def _says(rule: type[Rule]) -> str:
    """The first paragraph of a rule's docstring."""
    first = (rule.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(first.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
