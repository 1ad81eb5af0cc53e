"""Torch-Pruning's side of `peer.py`; runs in an environment that has torch and torch-pruning.

    python peer_torch.py shared.npz '{"criteria": [...], "scopes": [...], "fractions": [...], ...}'

Prints all rows as one line of JSON.
"""

import copy
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
    network = (VGG16 if "fc1/kernel" in arrays else ResNet20)(arrays).eval()
    with torch.no_grad():
        difference = (network(data["test_x"][:16]) - torch.tensor(arrays["outputs"])).abs().max()
    if not difference < 1e-3 * np.abs(arrays["outputs"]).max():
        raise SystemExit(f"The ported network differs by {difference:.2e}.")
    rows = []
    names = [name for name in settings["criteria"] if name in IMPORTANCES]
    for name, scope, fraction in itertools.product(
        names, settings["scopes"], settings["fractions"]
    ):
        small, row = _pruned(network, name, scope, fraction, data)
        row["stored"] = _accuracy(small, data)
        _recalibrate(small, data["train_x"][:1000])
        row["recalibrated"] = _accuracy(small, data)
        _train(small, data, settings)
        row["trained"] = _accuracy(small, data)
        rows.append({"criterion": name, "scope": scope, "fraction": fraction} | row)
    print(json.dumps(rows))


def _images(pixels: np.ndarray) -> torch.Tensor:
    scaled = (pixels / 255 - np.array(MEAN)) / np.array(DEVIATION)
    return torch.tensor(scaled.transpose(0, 3, 1, 2).copy(), dtype=torch.float32)


def _pruned(
    network: nn.Module, name: str, scope: str, fraction: float, data: dict[str, torch.Tensor]
) -> tuple[nn.Module, dict[str, Any]]:
    """The smallest of the cuts in steps of 1/400 of the channels that comes under the MACs."""
    small, example = copy.deepcopy(network), data["test_x"][:1]
    importance = IMPORTANCES[name]()
    started = time.process_time()
    whole, _ = tp.utils.count_ops_and_params(small, example)
    before = _widths(small)
    pruner = tp.pruner.BasePruner(
        small, example, importance, global_pruning=scope == "global", iterative_steps=400,
        pruning_ratio=1.0, ignored_layers=[small.logits],
    )  # fmt: skip
    if name in ("taylor", "fisher"):
        _gradients(small, name, importance, data)
    while True:
        macs, _ = tp.utils.count_ops_and_params(small, example)
        if macs <= fraction * whole:
            break
        pruner.step()
    least = min(after / count for after, count in zip(_widths(small), before, strict=True))
    seconds = time.process_time() - started
    return small.eval(), {"macs": macs / whole, "least": least, "seconds": seconds}


def _gradients(model: nn.Module, name: str, importance: Any, data: dict[str, torch.Tensor]) -> None:
    """What the peer's gradient criteria look at, on the same 1,000 images."""
    model.zero_grad()
    if name == "taylor":
        F.cross_entropy(model(data["train_x"][:1000]), data["train_y"][:1000]).backward()
        return
    importance.zero_grad()
    for images, labels in zip(
        data["train_x"][:1000].split(100), data["train_y"][:1000].split(100), strict=True
    ):
        losses = F.cross_entropy(model(images), labels, reduction="none")
        for loss in losses:
            model.zero_grad()
            loss.backward(retain_graph=True)
            importance.accumulate_grad(model)


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
