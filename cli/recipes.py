"""The commands that reproduce a system end to end: one row each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from . import options as shared
from .command import command
from .method_options import changes, in_todays_words, of_recipe
from .running import Execution, carry_out, default_path, executed, go_on
from .settings import adapted, loaded, overlay, shipped, with_options


@dataclass(frozen=True)
class Recipe:
    """A command, whose configuration `configs/NAME.toml` the package ships.

    Args:
        method: what it prunes by.
        summary: what it does, in one sentence.
        more: what `--help` says beside it.
        model: whether another network can be chosen.
        quick: the configuration that `--quick` takes, if there is one.
    """

    method: str
    summary: str
    more: str = ""
    model: bool = False
    quick: str | None = None


RECIPES = {
    "vgg16": Recipe("filter_agent", "Prune a VGG16 with a reinforcement-learned filter agent."),
    "lenet5": Recipe("magnitude", "Set the smallest weights of LeNet-5 to zero, in steps."),
    "lenet300-100": Recipe(
        "magnitude", "Set the smallest weights of LeNet-300-100 to zero, in steps."
    ),
    "taylor": Recipe("ranking", "Prune a network of 2, 4 and 8 filters by the Taylor criterion."),
    "rl-pruner": Recipe(
        "rl_pruner",
        "Prune a network by a learned distribution over its groups of channels.",
        "For example\n\n\b\n    keras-prune rl-pruner --model resnet56 --macs 0.5",
        model=True,
        quick="rl-pruner-quick",
    ),
    "rnp": Recipe(
        "rnp",
        "Teach a network to decide, image by image, how much of itself to compute.",
        "For example\n\n\b\n    keras-prune rnp --dataset fashion_mnist --seed 42",
        model=True,
    ),
}

_HELP = """{summary}

Every option left out keeps the value of configs/{name}.toml, adapted to the data set by
configs/{name}-DATASET.toml if there is one, or of --config. {more}"""


def recipe_command(name: str) -> click.Command:
    """The command of a recipe."""
    recipe = RECIPES[name]

    def made() -> list[click.Parameter]:
        options = of_recipe(recipe.method, shipped(name), () if recipe.model else ("model",))
        text = "A small network and short trainings."
        quick = click.Option(["--quick"], is_flag=True, help=text)
        return [quick, *options] if recipe.quick else options

    @command(name, made=made, help=_HELP.format(name=name, **vars(recipe)))
    @shared.config
    @shared.out
    @shared.resume
    @executed
    def run(
        config: Path | None,
        out: Path | None,
        resume: Path | None,
        execution: Execution,
        quick: bool = False,
        **options: Any,
    ) -> None:
        if resume:
            others = {"config": config, "out": out, "quick": quick, **options}
            shared.refuse_others("--resume", others)
            go_on(resume, execution)
            return
        given = in_todays_words(recipe.method, options)
        user = overlay(config, recipe.method)
        data = adapted(recipe.quick if recipe.quick and quick else name, user, given.get("dataset"))
        chosen = loaded(
            with_options(data, changes(recipe.method, given, Path.cwd())),
            code=execution.allow_code or bool(given.get("dataset")),
        )
        carry_out(chosen, out or default_path(chosen, name), execution)

    return run
