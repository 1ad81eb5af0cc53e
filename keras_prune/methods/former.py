"""Keys of configurations as former versions had them, and what they are called now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keras_prune.utils.config import dotted, merge_keys

# Method -> former key -> today's; None where there is nothing any more to be set.
_KEYS: dict[str, dict[str, str]] = {
    "filter_agent": {
        "prune.images": "prune.reward_images",
        "prune.max_steps": "prune.max_updates",
    },
    "magnitude": {
        "prune.iterations": "prune.steps",
        "prune.retrain": "recovery",
        "prune.final": "finetune",
        "test.turns": "prune.turns",
        "test.values": "prune.values",
    },
    "ranking": {"prune.images": "prune.calibration_images"},
    "rl_pruner": {
        "prune.images": "prune.reward_images",
        "prune.stages": "prune.steps",
        "prune.rounds": "prune.updates",
    },
    "rnp": {
        "prune.images": "prune.calibration_images",
        "prune.rounds": "prune.steps",
        "finetune": "recovery",
    },
}

# A key that only the configurations of one method had, from the time when a file named none.
_SIGNS = {
    "prune.b": "filter_agent",
    "prune.threshold": "magnitude",
    "prune.iterations": "magnitude",
    "prune.retrain": "magnitude",
    "prune.rates": "magnitude",
    "prune.sparsity": "magnitude",
    "prune.stages": "rl_pruner",
    "prune.noise": "rl_pruner",
    "prune.sets": "rnp",
    "prune.price": "rnp",
    "prune.criterion": "ranking",
}


def translated(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A configuration in today's words, and a sentence for each word that was not.

    Args:
        data: the sections as they were read; not changed.
    """
    found, told = dict(data), list[str]()
    if "method" not in found:
        method = _guessed(found)
        if method is None:
            return found, told
        found = {"method": method, **found}
        told.append(f'A configuration says its method now: add method = "{method}" on top.')
    sections = set(_prefixes(found))
    trained_alike = "prune.retrain" in sections and "prune.final" not in sections
    if found["method"] == "magnitude" and trained_alike:
        found.setdefault("finetune", found["prune"]["retrain"])
    for former, now in _KEYS.get(str(found["method"]), {}).items():
        found, changed = _renamed(found, former, now)
        if changed:
            told.append(f"The key {former} is called {now} now: rename it.")
    if found["method"] == "magnitude" and found.get("test") == {}:
        del found["test"]
    return found, told


def _guessed(data: Mapping[str, Any]) -> str | None:
    keys = set(_prefixes(data))
    return next((method for sign, method in _SIGNS.items() if sign in keys), None)


def _prefixes(data: Mapping[str, Any]) -> Iterator[str]:
    for key in dotted(data):
        parts = key.split(".")
        yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _renamed(data: dict[str, Any], former: str, now: str) -> tuple[dict[str, Any], bool]:
    section, _, key = former.rpartition(".")
    holder = data.get(section) if section else data
    if not isinstance(holder, Mapping) or key not in holder or now in set(_prefixes(data)):
        return data, False
    value = holder[key]
    left = {name: each for name, each in holder.items() if name != key}
    rest = {**data, section: left} if section else left
    if section and not left:
        del rest[section]
    return merge_keys(rest, {now: value}), True
