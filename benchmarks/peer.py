"""This package beside Torch-Pruning on the same trained weights, the same images, the same steps.

The peer runs in an environment of its own (`pip install torch==2.13.0 torch-pruning==1.6.1`), whose
Python is given. Weights are ported layer by layer; outputs must agree to 1e-4 before anything is
pruned. Both cut the same fraction of the MACs in one go; accuracies are of test images.

    python benchmarks/peer.py --peer PEER_ENV/bin/python --model resnet20 --epochs 4
    python benchmarks/peer.py --peer PEER_ENV/bin/python --model vgg16 --weights vgg16_cifar10.keras
"""

import itertools
import json
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np

PEER = Path(__file__).with_name("peer_torch.py")
CRITERIA = ("l1", "l2", "fpgm", "bn_scale", "lamp", "taylor", "fisher", "activation", "random")
STEPS, BATCH, RATE = 50, 64, 0.01


@click.command()
@click.option("--peer", required=True, help="The Python of the environment with Torch-Pruning.")
@click.option("--model", type=click.Choice(["vgg16", "resnet20"]), default="resnet20")
@click.option("--weights", type=click.Path(path_type=Path), help="A .keras file; else it is made.")
@click.option("--side", default=32, show_default=True, help="Of the images, in pixels.")
@click.option("--epochs", default=4, show_default=True, help="Of a baseline that is made.")
@click.option("--criteria", default=",".join(CRITERIA), show_default=True)
@click.option("--scopes", default="global", show_default=True)
@click.option("--fractions", default="0.8,0.6,0.5,0.3", show_default=True, help="Of the MACs.")
@click.option("--images", default=2000, show_default=True, help="Test images.")
@click.option("--seed", default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="All rows as JSON.")
def main(peer: str, out: Path | None, **options: Any) -> None:
    """Prints a table: what is left after the cut, re-estimated, and after 50 equal steps."""
    with tempfile.TemporaryDirectory() as folder:
        network, shared = _prepared(Path(folder), **options)
        plan = {
            "criteria": options["criteria"].split(","),
            "scopes": options["scopes"].split(","),
            "fractions": [float(x) for x in options["fractions"].split(",")],
        }
        rows = [row | {"by": "keras-prune"} for row in _ours(network, shared, plan)]
        rows += [row | {"by": "Torch-Pruning"} for row in _peers(peer, Path(folder), plan)]
    if out:
        out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    _print(rows)


def resnet20(side: int) -> Any:
    """ResNet-20 whose shortcuts are 1x1 convolutions: the peer cannot follow padded channels."""
    import keras
    from keras import layers

    from keras_prune.zoo.pieces import classifier, conv_norm_relu, convolution, image_input, norm

    image, x = image_input("resnet20", (side, side, 3), 8)
    x = conv_norm_relu(x, 16, 3, "stem")
    for stage, filters in enumerate((16, 32, 64), start=1):
        for block in range(1, 4):
            name, strides = f"stage{stage}_block{block}", 1 if x.shape[-1] == filters else 2
            inner = conv_norm_relu(x, filters, 3, f"{name}_conv1", strides)
            inner = norm(convolution(inner, filters, 3, f"{name}_conv2"), f"{name}_conv2")
            if strides > 1:
                x = norm(convolution(x, filters, 1, f"{name}_short", strides), f"{name}_short")
            x = layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, inner]))
    model = classifier(image, x, 10, "resnet20")
    assert isinstance(model, keras.Model)
    return model


def _prepared(
    folder: Path,
    model: str,
    weights: Path | None,
    side: int,
    epochs: int,
    images: int,
    seed: int,
    **_: Any,
) -> tuple[Any, dict[str, np.ndarray]]:
    """The trained network, and the arrays that both sides see; also written for the peer."""
    import keras

    import keras_prune as kp
    from keras_prune.training import TrainingConfig, fit

    splits = kp.data.load("cifar10", input_shape=(side, side, 3))
    task = kp.Task(splits)
    if weights and weights.exists():
        network = keras.models.load_model(weights, compile=False)
    else:
        keras.utils.set_random_seed(seed)
        network = resnet20(side) if model == "resnet20" else kp.zoo.vgg16((side, side, 3))
        fit(network, task, TrainingConfig(epochs=epochs, learning_rate=0.1), seed=seed)
        if weights:
            network.save(weights)
    bound = task.bind(network)
    x, y, _ = bound.examples("train", max(1000, STEPS * BATCH))
    test_x, test_y, _ = bound.examples("test", images)
    order = np.random.default_rng(seed).permutation(len(x))
    shared = {
        "train_x": x[order].astype("float32"),
        "train_y": y[order].reshape(-1),
        "test_x": test_x.astype("float32"),
        "test_y": test_y.reshape(-1),
        "outputs": np.asarray(network(test_x[:16], training=False)),
    }
    arrays = dict(shared)
    for layer in network.layers:
        for weight in layer.weights:
            arrays[f"{layer.name}/{weight.name}"] = np.asarray(weight)
    np.savez(folder / "shared.npz", **arrays)
    return network, shared


def _ours(network: Any, shared: dict[str, np.ndarray], plan: dict[str, list[Any]]) -> Any:
    import keras_prune as kp
    from keras_prune.profiling import profile

    whole = profile(network).total
    calibration = shared["train_x"][:1000], shared["train_y"][:1000]
    for criterion in plan["criteria"]:
        scores = kp.criteria.get(criterion)(kp.ChannelGraph(network), calibration)
        for scope, fraction in itertools.product(plan["scopes"], plan["fractions"]):
            started = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                graph = kp.ChannelGraph(network)
                kept = kp.Budget(macs=fraction, scope=scope).allocate(graph, scores)
                small = kp.prune(network, kept)
            seconds = time.process_time() - started
            stored = _accuracy(small, shared)
            kp.recalibrate(small, calibration[0], batch_size=250)
            recalibrated = _accuracy(small, shared)
            _train(small, shared)
            yield {
                "criterion": criterion,
                "scope": scope,
                "fraction": fraction,
                "macs": profile(small).total.macs / whole.macs,
                "least": min(len(v) / kept.channels[k] for k, v in kept.kept.items()),
                "stored": stored,
                "recalibrated": recalibrated,
                "trained": _accuracy(small, shared),
                "seconds": seconds,
            }


def _accuracy(model: Any, shared: dict[str, np.ndarray]) -> float:
    outputs = model.predict(shared["test_x"], batch_size=250, verbose=0)
    return 100 * float(np.mean(outputs.argmax(axis=1) == shared["test_y"]))


def _train(model: Any, shared: dict[str, np.ndarray]) -> None:
    import keras

    count = STEPS * BATCH
    model.compile(
        keras.optimizers.SGD(RATE, 0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(
        shared["train_x"][:count], shared["train_y"][:count], batch_size=BATCH, shuffle=False,
        verbose=0,
    )  # fmt: skip


def _peers(python: str, folder: Path, plan: dict[str, list[Any]]) -> list[dict[str, Any]]:
    settings = plan | {"steps": STEPS, "batch": BATCH, "rate": RATE}
    done = subprocess.run(
        [python, str(PEER), str(folder / "shared.npz"), json.dumps(settings)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"The peer ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _print(rows: list[dict[str, Any]]) -> None:
    head = ("criterion", "scope", "MACs", "by", "least", "stored", "re-estimated", "50 steps", "s")
    click.echo("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    key = ("criterion", "scope", "fraction", "by")
    for row in sorted(rows, key=lambda row: tuple(map(str, (row[name] for name in key)))):
        click.echo(
            f"| {row['criterion']} | {row['scope']} | {row['fraction']} ({row['macs']:.3f}) "
            f"| {row['by']} | {row['least']:.2f} | {row['stored']:.1f} "
            f"| {row['recalibrated']:.1f} | {row['trained']:.1f} | {row['seconds']:.2f} |"
        )


if __name__ == "__main__":
    main()
