"""Torch-Pruning's side of `peer.py`; runs in an environment that has torch and torch-pruning.

    python peer_torch.py shared.npz '{"criteria": [...], "scopes": [...], "fractions": [...], ...}'

Prints each row as a line of JSON, as it is made.
"""

import copy
import functools
import itertools
import json
import sys
import time
from typing import Any

import numpy as np
import torch
import torch_pruning as tp
from torch import nn
from torch.nn import functional as F  # noqa: N812  # its usual name

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
IMPORTANCES: dict[str, Any] = {
    "l1": lambda: tp.importance.GroupMagnitudeImportance(p=1),
    "l2": lambda: tp.importance.GroupMagnitudeImportance(p=2),
    "fpgm": lambda: tp.importance.FPGMImportance(),
    "bn_scale": lambda: tp.importance.BNScaleImportance(),
    "lamp": lambda: tp.importance.LAMPImportance(),
    "taylor": lambda: tp.importance.GroupTaylorImportance(),
    "fisher": lambda: tp.importance.GroupHessianImportance(),
    "random": lambda: tp.importance.RandomImportance(),
}
"""Under the name of what comes nearest here: its Hessian is made of squared gradients."""


class ConvNorm(nn.Module):
    """A convolution padded as Keras pads, and its BatchNorm."""

    def __init__(self, arrays: Any, name: str, norm: str, strides: int = 1) -> None:
        super().__init__()
        kernel = torch.tensor(arrays[f"{name}/kernel"]).permute(3, 2, 0, 1)
        out, inner, size, _ = kernel.shape
        self.pad = strides == 2 and size == 3
        padding = 0 if self.pad else size // 2
        self.conv = nn.Conv2d(inner, out, size, strides, padding, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-5, momentum=0.1)
        self.conv.weight.data = kernel.contiguous()
        self.norm.weight.data = torch.tensor(arrays[f"{norm}/gamma"])
        self.norm.bias.data = torch.tensor(arrays[f"{norm}/beta"])
        self.norm.running_mean = torch.tensor(arrays[f"{norm}/moving_mean"])
        self.norm.running_var = torch.tensor(arrays[f"{norm}/moving_variance"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(F.pad(x, (0, 1, 0, 1)) if self.pad else x))


def linear(arrays: Any, name: str) -> nn.Linear:
    """A dense layer with its weights."""
    kernel = arrays[f"{name}/kernel"]
    made = nn.Linear(*kernel.shape)
    made.weight.data = torch.tensor(kernel.T.copy())
    made.bias.data = torch.tensor(arrays[f"{name}/bias"])
    return made


class VGG16(nn.Module):
    """The network of `keras_prune.zoo.vgg16` for images whose last features are 1x1."""

    def __init__(self, arrays: Any) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                ConvNorm(arrays, f"block{block}_conv{n}", f"block{block}_bn{n}")
                for n in range(1, count + 1)
            )
            for block, count in enumerate((2, 2, 3, 3, 3), start=1)
        )
        self.fc1, self.dropout = linear(arrays, "fc1"), nn.Dropout(0.5)
        self.logits = linear(arrays, "logits")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            for layer in block:
                x = F.relu(layer(x))
            x = F.max_pool2d(x, 2)
        return self.logits(self.dropout(F.relu(self.fc1(torch.flatten(x, 1)))))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, arrays: Any, name: str) -> None:
        super().__init__()
        widens = f"{name}_short/kernel" in arrays
        self.one = _conv(arrays, f"{name}_conv1", 2 if widens else 1)
        self.two = _conv(arrays, f"{name}_conv2")
        self.short = _conv(arrays, f"{name}_short", 2) if widens else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.two(F.relu(self.one(x))) + self.short(x))


class ResNet20(nn.Module):
    """The network of `peer.resnet20`."""

    def __init__(self, arrays: Any) -> None:
        super().__init__()
        self.stem = _conv(arrays, "stem")
        names = [f"stage{stage}_block{block}" for stage in (1, 2, 3) for block in (1, 2, 3)]
        self.blocks = nn.Sequential(*(Block(arrays, name) for name in names))
        self.logits = linear(arrays, "logits")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(self.blocks(F.relu(self.stem(x))).mean(dim=(2, 3)))


def _conv(arrays: Any, name: str, strides: int = 1) -> ConvNorm:
    return ConvNorm(arrays, name, f"{name}_bn", strides)


def main(path: str, settings: dict[str, Any]) -> None:
    """Prunes, re-estimates, trains, and prints."""
    torch.manual_seed(0)
    arrays = dict(np.load(path))
    data = {name: _images(arrays[name]) for name in ("train_x", "test_x")}
    data |= {name: torch.tensor(arrays[name]).long() for name in ("train_y", "test_y")}
    for side in "xy":
        data[f"calibration_{side}"] = data[f"train_{side}"][:1000]
    network = (VGG16 if "fc1/kernel" in arrays else ResNet20)(arrays).eval()
    with torch.no_grad():
        difference = (network(data["test_x"][:16]) - torch.tensor(arrays["outputs"])).abs().max()
    if not difference < 1e-3 * np.abs(arrays["outputs"]).max():
        raise SystemExit(f"The ported network differs by {difference:.2e}.")
    names = [name for name in settings["criteria"] if name in IMPORTANCES]
    for name, scope, fraction in itertools.product(
        names, settings["scopes"], settings["fractions"]
    ):
        small, row = _pruned(network, name, scope, fraction, data)
        row["stored"] = _accuracy(small, data)
        _recalibrate(small, data["calibration_x"])
        row["recalibrated"] = _accuracy(small, data)
        _train(small, data, settings)
        row["trained"] = _accuracy(small, data)
        found = {"criterion": name, "scope": scope, "fraction": fraction} | row
        print(json.dumps(found), flush=True)


def _images(pixels: np.ndarray) -> torch.Tensor:
    scaled = (pixels / 255 - np.array(MEAN)) / np.array(DEVIATION)
    return torch.tensor(scaled.transpose(0, 3, 1, 2).copy(), dtype=torch.float32)


def _pruned(
    network: nn.Module, name: str, scope: str, fraction: float, data: dict[str, torch.Tensor]
) -> tuple[nn.Module, dict[str, Any]]:
    """The largest network of one cut that comes under the MACs, its ratio found by bisection."""
    whole, _ = tp.utils.count_ops_and_params(network, data["test_x"][:1])
    low, high, best = 0.0, 1.0, None
    for _ in range(9):
        ratio = (low + high) / 2
        small, seconds = _cut(network, name, scope, ratio, data)
        macs, _ = tp.utils.count_ops_and_params(small, data["test_x"][:1])
        if macs <= fraction * whole:
            high, best = ratio, (small, macs, seconds)
        else:
            low = ratio
    if best is None:
        raise SystemExit(f"No ratio brings {name} under {fraction} of the MACs.")
    small, macs, seconds = best
    before, after = _widths(network), _widths(small)
    least = min(left / count for left, count in zip(after, before, strict=True))
    return small.eval(), {"macs": macs / whole, "least": least, "seconds": seconds}


def _cut(
    network: nn.Module, name: str, scope: str, ratio: float, data: dict[str, torch.Tensor]
) -> tuple[nn.Module, float]:
    """One cut, and the processor seconds of walk, plan and surgery."""
    small, importance = copy.deepcopy(network), IMPORTANCES[name]()
    if name in ("taylor", "fisher"):
        found = _gradients(network, name, data["calibration_x"], data["calibration_y"])
        for key, parameter in small.named_parameters():
            parameter.grad = found[key].clone()
    started = time.process_time()
    pruner = tp.pruner.BasePruner(
        small, data["test_x"][:1], importance, global_pruning=scope != "local",
        pruning_ratio=ratio, ignored_layers=[small.logits], isomorphic=scope == "isomorphic",
    )  # fmt: skip
    pruner.step()
    return small, time.process_time() - started


@functools.cache
def _gradients(model: nn.Module, name: str, images: Any, labels: Any) -> dict[str, torch.Tensor]:
    """What the peer's gradient criteria look at, by parameter.

    Its own accumulation of squared gradients keeps those of the last example only; here they are
    averaged over all.
    """
    if name == "taylor":
        model.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        return {key: p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
    squares = {key: torch.zeros_like(p) for key, p in model.named_parameters()}
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        model.zero_grad()
        F.cross_entropy(model(image), label).backward()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                squares[key] += parameter.grad.square() / len(images)
    return squares


def _widths(model: nn.Module) -> list[int]:
    kinds = nn.Conv2d | nn.Linear
    return [layer.weight.shape[0] for layer in model.modules() if isinstance(layer, kinds)]


def _accuracy(model: nn.Module, data: dict[str, torch.Tensor]) -> float:
    with torch.no_grad():
        outputs = torch.cat([model(images) for images in data["test_x"].split(250)])
    return 100 * float((outputs.argmax(1) == data["test_y"]).float().mean())


def _recalibrate(model: nn.Module, images: torch.Tensor) -> None:
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # exact averages
        norm.train()
    with torch.no_grad():
        for batch in images.split(250):
            model(batch)
    for norm in norms:
        norm.momentum = 0.1
    model.eval()


def _train(model: nn.Module, data: dict[str, torch.Tensor], settings: dict[str, Any]) -> None:
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), settings["rate"], 0.9, nesterov=True)
    for step in range(settings["steps"]):
        part = slice(step * settings["batch"], (step + 1) * settings["batch"])
        optimizer.zero_grad()
        F.cross_entropy(model(data["train_x"][part]), data["train_y"][part]).backward()
        optimizer.step()
    model.eval()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
