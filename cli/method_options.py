"""The options of each method: what they set, and what they were called in former versions."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click

from keras_prune.methods.config import RunConfig
from keras_prune.methods.registry import available, entry
from keras_prune.training.config import CommonConfig, SparseTrainingConfig, TrainingConfig

from .options import DATA
from .options_from import Setting, option, settings_of
from .output import logger
from .paths import model_path

BUDGETS = ("macs", "params", "ratio", "latency")

# A method's own learning rate is its agent's; the short name is that of the fine-tuning.
_NAMES = {"learning_rate": "agent_learning_rate"}
_TEXTS = {"agent_learning_rate": "Learning rate of what decides.", "dataset": DATA}
_FLAGS = {"price": ("-p",)}

# Option -> the key it sets, and what it means.
_TRAININGS = {
    "epochs": ("train.epochs", "Epochs of the baseline's training."),
    "finetune_steps": ("recovery.steps_per_epoch", "Batches of the training after each step."),
    "finetune_epochs": ("finetune.epochs", "Epochs of the fine-tuning at the end."),
    "learning_rate": (
        "finetune.learning_rate",
        "Highest learning rate of the fine-tuning at the end.",
    ),
}
_STAGES = ("sparse_training", "distill")
"""Options that ask for a section which is no part of other runs."""

_NOT_OF = {"rnp": ("finetune_epochs", "learning_rate", "distill")}  # it ends with its last step

# Method -> former option -> today's.
_FORMER = {
    "filter_agent": {
        "images": "reward_images",
        "max_steps": "max_updates",
        "validation_images": "reward_images",
    },
    "magnitude": {"iterations": "steps"},
    "ranking": {"images": "calibration_images"},
    "rl_pruner": {"images": "reward_images", "stages": "steps"},
    "rnp": {
        "finetune_steps_cnn": "finetune_steps",
        "images": "calibration_images",
        "num_episodes_rl": "episodes",
        "rounds": "steps",
    },
}


@cache
def method_settings(method: str) -> dict[str, Setting]:
    """Option -> what it sets, in the order of `--help`.

    Args:
        method: a name of `methods.available()`.
    """
    own = settings_of(entry(method).load_config(), "prune", _NAMES)
    own.sort(key=lambda each: each.name not in BUDGETS)
    found = [*own, *common_settings(), *_trainings()]
    return {
        each.name: dataclasses.replace(each, text=_TEXTS.get(each.name, each.text))
        for each in found
        if each.name not in _NOT_OF.get(method, ())
    }


def common_settings(leave_out: Collection[str] = ()) -> list[Setting]:
    """What all runs share; where the run is written is an option of another kind."""
    return settings_of(CommonConfig, "common", leave_out=("directory", *leave_out))


def training_setting(name: str, key: str, text: str) -> Setting:
    """The setting of a key of `TrainingConfig`.

    Args:
        name: the option.
        key: the dotted key.
        text: what it means.
    """
    section, _, field = key.partition(".")
    (found,) = (each for each in settings_of(TrainingConfig, section) if each.key == key)
    default = {each.name: each.default for each in dataclasses.fields(RunConfig)}.get(section)
    return dataclasses.replace(found, name=name, text=text, default=getattr(default, field, None))


def of_recipe(
    method: str, shipped: Mapping[str, Any], leave_out: Collection[str]
) -> list[click.Parameter]:
    """The options of a recipe.

    Args:
        method: its method.
        shipped: its configuration, whose values are the defaults.
        leave_out: options that it has not.
    """
    found = {name: each for name, each in method_settings(method).items() if name not in leave_out}
    options = [made(each, shipped) for each in found.values()]
    options += [each for each in _stages() if each.name not in _NOT_OF.get(method, ())]
    former = {old: now for old, now in _FORMER.get(method, {}).items() if now in found}
    return [*options, *(_former(old, found[now]) for old, now in former.items())]


def of_all(
    shipped: Mapping[str, Mapping[str, Any]], leave_out: Collection[str]
) -> list[click.Parameter]:
    """The options of all methods together.

    Args:
        shipped: method -> its configuration, whose values are the defaults. What several methods
            have is explained as the first has it.
        leave_out: options that are left out.
    """
    owners = {
        name: [each for each in shipped if name in method_settings(each)]
        for method in shipped
        for name in method_settings(method)
        if name not in leave_out
    }
    every = {name: method_settings(methods[0])[name] for name, methods in owners.items()}
    shared = {name for name, methods in owners.items() if len(methods) == len(shipped)}
    order = sorted(every, key=lambda name: (name in shared, name not in BUDGETS))
    options = [_of_some(name, owners[name], shipped) for name in order]
    former = {
        old: every[now]
        for method in shipped
        for old, now in _FORMER.get(method, {}).items()
        if old not in every
    }
    return [*options, *_stages(), *(_former(old, now) for old, now in former.items())]


def in_todays_words(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, former names translated, with a warning for each.

    Args:
        method: the method they are for.
        options: option -> value; None, or nothing of several, where it was left out.

    Raises:
        UsageError: an option belongs to other methods.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    for former, now in _FORMER.get(method, {}).items():
        if former in given:
            logger.warning("%s is called %s now.", _flag(former), _flag(now))
            given.setdefault(now, given.pop(former))
    for name in given:
        if not _has(method, name):
            owners = ", ".join(each for each in available() if _has(each, name))
            raise click.UsageError(
                f"{_flag(name)} belongs to --method {owners}. Received: --method {method}."
            )
    return given


def changes(method: str, given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Configuration key -> value.

    Args:
        method: the method the options are for.
        given: option -> value, in today's words.
        folder: where relative paths start.
    """
    found = {method_settings(method)[n].key: v for n, v in given.items() if n not in _STAGES}
    kinds = {each.key: each.kind for each in method_settings(method).values()}
    found |= {key: _pairs(value) for key, value in found.items() if kinds[key] is dict}
    if "common.model" in found:
        found["common.model"] = model_path(found["common.model"], folder)
    if "common.weights" in found:
        found["common.weights"] = str(folder / found["common.weights"])
    # The sections' defaults, unless a file says more.
    if "distill" in given:
        found["distillation"] = {}
    if "sparse_training" in given:
        found["sparse_training.kind"] = given["sparse_training"]
    return found


def _pairs(given: Iterable[tuple[str, float]]) -> dict[str, float]:
    pairs: dict[str, float] = {}
    for name, number in given:
        if pairs.setdefault(name, number) != number:
            raise click.UsageError(f"{name} is given twice: {pairs[name]:g} and {number:g}.")
    return pairs


def made(setting: Setting, shipped: Mapping[str, Any]) -> click.Option:
    """The option of a setting, whose default is what a shipped configuration says, if it does."""
    return option(setting, _default(setting, shipped), flags=_FLAGS.get(setting.name, ()))


def _default(setting: Setting, shipped: Mapping[str, Any]) -> Any:
    section, _, key = setting.key.partition(".")
    return shipped.get(section, {}).get(key, setting.default)


def _trainings() -> Iterator[Setting]:
    return (training_setting(name, key, text) for name, (key, text) in _TRAININGS.items())


def _of_some(
    name: str, methods: list[str], shipped: Mapping[str, Mapping[str, Any]]
) -> click.Option:
    """An option whose help says which methods have it, with the default if they agree on it."""
    found = [method_settings(method)[name] for method in methods]
    defaults = [_default(each, shipped[m]) for each, m in zip(found, methods, strict=True)]
    agreed = defaults[0] if all(each == defaults[0] for each in defaults) else None
    some = "" if len(methods) == len(shipped) else f"  Of {', '.join(methods)}."
    setting = dataclasses.replace(found[0], text=found[0].text + some)
    return option(setting, agreed, flags=_FLAGS.get(name, ()))


def _stages() -> list[click.Option]:
    return [_sparse_training(), _distill()]


def _sparse_training() -> click.Option:
    kinds = get_args(get_type_hints(SparseTrainingConfig)["kind"])
    text = "Before the first cut, train the network so that channels are pressed to zero."
    return click.Option(["--sparse-training"], type=click.Choice(kinds), help=text)


def _distill() -> click.Option:
    text = "All trainings of the pruned network learn from the unpruned one, too."
    return click.Option(["--distill"], is_flag=True, default=None, help=text)


def _former(name: str, now: Setting) -> click.Option:
    return option(dataclasses.replace(now, name=name), hidden=True)


def _has(method: str, name: str) -> bool:
    if name in _STAGES:
        return name not in _NOT_OF.get(method, ())
    return name in method_settings(method) or name in _FORMER.get(method, {})


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
