"""How to share out what is pruned: RL-Pruner against uniform, globally ranked and random cuts.

One trained network; every method cuts it to the same fraction of MACs in as many steps, with the
same recovery after each but the last and the same training at the end. Only the search sees more:
the validation images of its rewards. All accuracies are of the test split.

    python benchmarks/allocation.py [--dataset cifar10] [--side 16] [--macs 0.4] [--seeds 3]
"""

from pathlib import Path
from typing import Any

import click
import numpy as np

METHODS: dict[str, dict[str, Any]] = {
    "uniform, l1": {"method": "ranking", "criterion": "l1", "scope": "local"},
    "global, taylor": {"method": "ranking", "criterion": "taylor", "scope": "global"},
    "random": {"method": "ranking", "criterion": "random", "scope": "global"},
    "RL-Pruner, taylor": {"method": "rl_pruner", "criterion": "taylor"},
}


@click.command()
@click.option("--model", default="resnet20", show_default=True)
@click.option("--dataset", default="cifar10", show_default=True)
@click.option("--side", default=16, show_default=True, help="Of the images, in pixels.")
@click.option("--macs", default=0.4, show_default=True, help="Fraction to keep.")
@click.option("--steps", default=1, show_default=True, help="Of each method.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", default=4, show_default=True, help="Of the baseline, of --batches each.")
@click.option("--batches", default=150, show_default=True)
@click.option("--samples", default=12, show_default=True)
@click.option("--updates", default=3, show_default=True)
@click.option("--images", default=400, show_default=True, help="Of a reward, and of scores.")
@click.option("--weights", type=click.Path(path_type=Path), help="The baseline; kept there.")
def main(model: str, dataset: str, side: int, weights: Path | None, **options: Any) -> None:
    """Prints a row per run, and the mean and deviation of each method."""
    from keras_prune import Task, data

    splits = data.load(dataset, input_shape=(side, side, 3))
    trained, task = _baseline(model, splits, options, weights), Task(splits)
    click.echo(f"{'method':18} seed  before   after    macs  seconds")
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    for seed in range(options["seeds"]):
        for name in METHODS:
            report = _method(name, options).run(trained, task, seed=seed).report
            share = report.after.macs / report.before.macs
            click.echo(
                f"{name:18} {seed:4}  {report.before.test:6.2f}  {report.after.test:6.2f}  "
                f"{share:6.3f}  {report.seconds:7.1f}"
            )
            found[name].append(report.after.test)
    for name, values in found.items():
        spread = np.std(values, ddof=1 if len(values) > 1 else 0)
        click.echo(f"| {name} | {np.mean(values):.2f} ± {spread:.2f} |")


def _baseline(model: str, splits: Any, options: dict[str, Any], weights: Path | None) -> Any:
    import keras

    from keras_prune import zoo
    from keras_prune.training import TrainingConfig, fit

    if weights and weights.exists():
        return keras.models.load_model(weights)
    keras.utils.set_random_seed(0)
    network = zoo.build(model, splits.input_shape, splits.num_classes)
    steps = {"epochs": options["epochs"], "steps_per_epoch": options["batches"]}
    fit(network, splits, TrainingConfig(learning_rate=0.2, weight_decay=5e-3, **steps), seed=0)
    if weights:
        network.save(weights)
    return network


def _method(name: str, options: dict[str, Any]) -> Any:
    from keras_prune import methods
    from keras_prune.training import TrainingConfig

    given = {"macs": options["macs"], "steps": options["steps"], **METHODS[name]}
    given["calibration_images"] = options["images"]
    if given["method"] == "rl_pruner":
        given |= {"samples": options["samples"], "updates": options["updates"]}
        given["reward_images"] = options["images"]
    batches = options["batches"]
    return methods.get(
        given.pop("method"),
        recovery=TrainingConfig(1, 0.02, batches // 3, "cosine"),
        finetune=TrainingConfig(1, 0.05, batches),
        **given,
    )


if __name__ == "__main__":
    main()
