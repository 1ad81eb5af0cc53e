"""What the defaults leave: least widths and accuracies by criterion, scope, budget and network.

Every network is trained (or loaded), scored once by each criterion, and cut; statistics of
BatchNormalization are estimated anew on training images, and nothing is trained after the cut.
Accuracies are of validation images.

    python benchmarks/plans.py mobilenet_v2_cifar densenet40 googlenet_cifar --dataset digits
    python benchmarks/plans.py vgg16 --weights vgg16_cifar10.keras --dataset cifar10 --side 32
"""

import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np

CRITERIA = (
    "l1", "l2", "fpgm", "cosine", "bn_scale", "lamp", "taylor", "fisher", "hessian", "combined",
)  # fmt: skip
SCOPES = ("global", "local", "isomorphic")


@click.command()
@click.argument("networks", nargs=-1, required=True)
@click.option("--dataset", default="digits", show_default=True)
@click.option("--side", default=16, show_default=True, help="Of the images, in pixels.")
@click.option("--epochs", default=8, show_default=True, help="Of a baseline that is made.")
@click.option("--weights", type=click.Path(path_type=Path), help="Of the only network.")
@click.option("--criteria", default=",".join(CRITERIA), show_default=True)
@click.option("--scopes", default=",".join(SCOPES), show_default=True)
@click.option("--fractions", default="0.5,0.3", show_default=True, help="Of the MACs.")
@click.option("--images", default=1000, show_default=True, help="Of scores, and of accuracies.")
@click.option("--seed", default=0, show_default=True)
def main(networks: tuple[str, ...], criteria: str, scopes: str, fractions: str, **how: Any) -> None:
    """Prints a table for each network: accuracy, and in brackets the least fraction kept."""
    columns = [(scope, float(f)) for scope in scopes.split(",") for f in fractions.split(",")]
    for name in networks:
        model, splits = _trained(name, **how)
        calibration = splits.training_sample(how["images"])
        validation = splits.validation_arrays(how["images"])
        click.echo(f"\n{name} on {how['dataset']}: {_accuracy(model, validation):.1f} %\n")
        click.echo("| criterion | " + " | ".join(f"{s}, {f:g}" for s, f in columns) + " |")
        click.echo("|---|" + "---|" * len(columns))
        for criterion in criteria.split(","):
            cells = _cells(model, criterion, columns, calibration, validation)
            click.echo(f"| `{criterion}` | " + " | ".join(cells) + " |")


def _trained(
    name: str, dataset: str, side: int, epochs: int, weights: Path | None, seed: int, **_: Any
) -> tuple[Any, Any]:
    import keras

    import keras_prune as kp
    from keras_prune.training import TrainingConfig, fit

    splits = kp.data.load(dataset, input_shape=(side, side, 3))
    if weights:
        return keras.models.load_model(weights, compile=False), splits
    keras.utils.set_random_seed(seed)
    model = kp.zoo.build(name, splits.input_shape, splits.num_classes)
    fit(model, kp.Task(splits), TrainingConfig(epochs=epochs, learning_rate=0.05), seed=seed)
    return model, splits


def _cells(
    model: Any,
    criterion: str,
    columns: list[tuple[str, float]],
    calibration: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
) -> list[str]:
    import keras_prune as kp

    graph, cells = kp.ChannelGraph(model), []
    scores = kp.criteria.get(criterion)(graph, calibration)
    for scope, fraction in columns:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the table says what is left
            plan = kp.Budget(macs=fraction, scope=scope).allocate(graph, scores)
        small = kp.prune(model, plan)
        kp.recalibrate(small, calibration[0])
        least = min(len(kept) / plan.channels[name] for name, kept in plan.kept.items())
        cells.append(f"{_accuracy(small, validation):.1f} ({least:.2f})")
    return cells


def _accuracy(model: Any, data: tuple[np.ndarray, np.ndarray]) -> float:
    outputs = model.predict(data[0], batch_size=250, verbose=0)
    return 100 * float(np.mean(outputs.argmax(axis=1) == data[1]))


if __name__ == "__main__":
    main()
