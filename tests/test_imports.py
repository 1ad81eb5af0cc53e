"""Who may import whom, read from the source: downwards only, and TensorFlow only where it may."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the bottom up. A room may import rooms of lower layers and of its own.
LAYERS = [
    {"errors"},
    {"backends", "config", "progress", "quiet", "writing"},
    {"graph", "packing", "plan"},
    {"initializing", "loading", "masked_norm", "rebuilt"},
    {"surgery", "silencing", "dead_channels", "profiling", "data", "runtimes", "zoo"},
    {
        "predictors",
        "agents",
        "training",
        "criteria",
        "budgets",
        "schedules",
        "exporting",
        "reporting",
        "tracking",
    },
    {"benchmarking"},
    {"methods"},
    {"callbacks"},
    {"cli", "configs"},
]
TENSORFLOW_AT_THE_TOP = {"data", "methods", "agents", "runtimes", "exporting"}
NEVER_TENSORFLOW = {
    "graph", "plan", "surgery", "silencing", "masked_norm", "initializing", "rebuilt", "profiling",
    "budgets", "criteria", "dead_channels", "packing",
}  # fmt: skip
# Criteria that look at data; they import it when they are used.
NEEDS_TENSORFLOW = {"criteria/calibrated.py", "criteria/taylor.py", "criteria/taylor_weight.py"}

FILES = [
    *(p for p in sorted((ROOT / "keras_prune").rglob("*.py")) if p.parent.name != "keras_prune"),
    *(p for p in sorted((ROOT / "keras_prune").glob("*.py")) if p.name != "__init__.py"),
    *sorted((ROOT / "cli").glob("*.py")),
]


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "keras_prune" else parts[0]


def layer(name: str) -> int:
    return next(i for i, rooms in enumerate(LAYERS) if name in rooms)


def imports(node: ast.AST) -> Iterator[str]:
    """The dotted modules a tree imports absolutely; `from a import b` counts as `a.b`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)


def imports_at_the_top(tree: ast.Module) -> Iterator[str]:
    """Those that run when the module is imported."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)


def own_rooms(tree: ast.AST) -> set[str]:
    return {name.split(".")[1] for name in imports(tree) if name.startswith("keras_prune.")}


def uses_tensorflow(names: Iterator[str]) -> bool:
    return any(name.split(".")[0] in {"tensorflow", "tensorflow_datasets"} for name in names)


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(ROOT)))
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_room_has_a_layer(path):
    assert room(path) in set().union(*LAYERS), "give the new room a place in LAYERS"


def test_imports_go_downwards(path, tree):
    upwards = {name for name in own_rooms(tree) if layer(name) > layer(room(path))}
    assert not upwards


def test_no_method_imports_another(path, tree):
    if room(path) != "methods":
        return
    folder = ROOT / "keras_prune" / "methods"
    methods = {entry.name for entry in folder.iterdir() if (entry / "__init__.py").exists()}
    used = {n.split(".")[2] for n in imports(tree) if n.startswith("keras_prune.methods.")}
    assert used & methods <= {path.relative_to(folder).parts[0]}


def test_tensorflow_stays_in_its_rooms(path, tree):
    if room(path) not in TENSORFLOW_AT_THE_TOP:
        assert not uses_tensorflow(imports_at_the_top(tree))
    if room(path) in NEVER_TENSORFLOW and "/".join(path.parts[-2:]) not in NEEDS_TENSORFLOW:
        assert not uses_tensorflow(imports(tree))


def test_the_package_prints_nothing(path, tree):
    if room(path) == "cli":
        return
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert not [name for name in calls if isinstance(name, ast.Name) and name.id == "print"]


def test_only_the_tracer_touches_keras_private_modules(path, tree):
    if path.name != "trace.py":
        assert not [name for name in imports(tree) if name.startswith("keras.src")]


def test_the_guard_sees_what_it_guards():
    tree = ast.parse("import tensorflow as tf\nfrom keras_prune.cli import main\nprint(1)")
    assert uses_tensorflow(imports_at_the_top(tree))
    assert own_rooms(tree) == {"cli"}
    assert layer("cli") > layer("methods") > layer("training") > layer("surgery") > layer("graph")
