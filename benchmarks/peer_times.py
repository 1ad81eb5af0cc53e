"""Walk, plan and surgery in warm processor seconds, beside Torch-Pruning's, one thread each.

Both rank by the L1 norm of weights, all channels together, and cut to about half of the MACs:
here by a budget, there by a ratio that is given. The architectures are those of keras.applications
and torchvision, with weights at random. Each model is measured in a process of its own, in turns.

    python benchmarks/peer_times.py --peer PEER_ENV/bin/python [NAME ...]

The peer's environment has torch, torchvision and torch-pruning.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click

RATIOS = {
    "VGG16": 0.3, "MobileNetV2": 0.3, "ResNet50": 0.3, "DenseNet121": 0.3, "DenseNet201": 0.3,
}  # fmt: skip
REPEATS = 3
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "MKL_NUM_THREADS"), "1"
)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--peer", help="The Python of the environment with Torch-Pruning.")
@click.option("--one", type=click.Choice(["here", "peer"]), hidden=True)
def main(names: tuple[str, ...], peer: str, one: str | None) -> None:
    """Prints a row per model."""
    if one:
        click.echo(json.dumps({"here": _here, "peer": _peer}[one](names[0])))
        return
    click.echo("| model | here, s | peak, MB | Torch-Pruning, s | peak, MB | ratio |")
    click.echo("|---|---:|---:|---:|---:|---:|")
    for name in names or RATIOS:
        here, there = _measured(sys.executable, name, "here"), _measured(peer, name, "peer")
        click.echo(
            f"| {name} | {here['seconds']:.2f} | {here['peak_mb']:.0f} | {there['seconds']:.2f} "
            f"| {there['peak_mb']:.0f} | {here['seconds'] / there['seconds']:.2f} |"
        )


def _measured(python: str, name: str, side: str) -> dict[str, float]:
    done = subprocess.run(
        [python, __file__, name, "--one", side],
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def _best(cut: Callable[[], Any]) -> dict[str, float]:
    import resource

    seconds = []
    for _ in range(1 + REPEATS):  # the first one loads and warms
        started = time.process_time()
        cut()
        seconds.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": min(seconds[1:]), "peak_mb": peak}


def _here(name: str) -> dict[str, float]:
    import warnings

    import keras

    import keras_prune as kp

    warnings.simplefilter("ignore", UserWarning)
    small = name == "VGG16"  # as it is used on CIFAR
    model = kp.zoo.vgg16((32, 32, 3)) if small else getattr(keras.applications, name)(weights=None)

    def cut() -> None:
        graph = kp.ChannelGraph(model)
        scores = kp.criteria.get("l1")(graph)
        kp.prune(model, kp.Budget(macs=0.5).allocate(graph, scores))

    return _best(cut)


def _peer(name: str) -> dict[str, float]:
    import copy

    import torch
    import torch_pruning as tp
    import torchvision

    torch.set_num_threads(1)
    small = name == "VGG16"
    side = 32 if small else 224
    model = torchvision.models.vgg16_bn(num_classes=10) if small else None
    if model is None:
        names = {"MobileNetV2": "mobilenet_v2"}
        model = getattr(torchvision.models, names.get(name, name.lower()))()
    else:  # the head of the network for CIFAR: one layer of 512
        model.avgpool = torch.nn.AdaptiveAvgPool2d(1)
        model.classifier = torch.nn.Sequential(
            torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)
        )
    example, copies = torch.zeros(1, 3, side, side), [copy.deepcopy(model) for _ in range(9)]

    def cut() -> None:
        network = copies.pop().eval()
        last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)][-1]
        pruner = tp.pruner.BasePruner(
            network, example, tp.importance.GroupMagnitudeImportance(p=1),
            global_pruning=True, pruning_ratio=RATIOS[name], ignored_layers=[last],
        )  # fmt: skip
        pruner.step()

    return _best(cut)


if __name__ == "__main__":
    main()
