"""Who may import whom, read from the source: downwards only, and TensorFlow only where it may."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Room -> the rooms it may import beside `errors` and `utils`, which all may.
MAY_IMPORT = {
    "errors": "",
    "utils": "",
    "graph": "",
    "plan": "graph",
    "scores": "",
    "packing": "",
    "profiling": "graph",
    "surgery": "graph plan",
    "budgets": "graph plan scores surgery",
    "data": "",
    "zoo": "",
    "runtimes": "graph packing profiling",
    "exporting": "graph packing runtimes surgery",
    "benchmarking": "exporting graph packing profiling runtimes surgery",
    "reporting": "graph profiling",
    "tracking": "reporting",
    "training": "data graph plan reporting runtimes tracking zoo",
    "criteria": "graph scores training",
    "rollouts": "graph plan runtimes surgery training",
    "agents": "",
    "methods": "agents benchmarking budgets criteria data exporting graph plan profiling reporting "
    "rollouts runtimes scores surgery tracking training zoo",
    "callbacks": "methods training",
    "cli": "benchmarking criteria data exporting graph methods profiling reporting runtimes "
    "tracking training",
}
TENSORFLOW_AT_THE_TOP = {
    "agents", "data", "exporting", "methods", "rollouts", "runtimes", "training",
}  # fmt: skip
NEVER_TENSORFLOW = {
    "graph", "plan", "surgery", "profiling", "budgets", "criteria", "packing",
}  # fmt: skip
# Criteria that look at data; they import it when they are used.
NEEDS_TENSORFLOW = {
    "criteria/activation_gradient.py", "criteria/calibrated.py", "criteria/hessian.py",
    "criteria/taylor_weight.py",
}  # fmt: skip
# What the command line reads before anything heavy is imported.
LIGHT = {
    "errors.py", "utils/config.py", "methods/former.py", "methods/config.py", "methods/registry.py",
    "training/config.py", "criteria/names.py", *(f"methods/{name}/config.py" for name in (
        "filter_agent", "magnitude", "ranking", "rl_pruner", "rnp")),
}  # fmt: skip

FILES = [
    *(p for p in sorted((ROOT / "keras_prune").rglob("*.py")) if p.parent.name != "keras_prune"),
    *(p for p in sorted((ROOT / "keras_prune").glob("*.py")) if p.name != "__init__.py"),
    *sorted((ROOT / "cli").glob("*.py")),
]


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "keras_prune" else parts[0]


def allowed(name: str) -> set[str]:
    return {name, "errors", "utils", *MAY_IMPORT[name].split()}


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


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def offenders(wrong: Callable[[Path, ast.Module], object]) -> dict[str, object]:
    """The files of which something is wrong, and what."""
    found = {str(path.relative_to(ROOT)): wrong(path, tree) for path, tree in TREES.items()}
    return {name: what for name, what in found.items() if what}


def test_every_room_has_a_row():
    rooms = {room(path) for path in FILES}
    assert rooms == set(MAY_IMPORT), "say in MAY_IMPORT what a new room may import"


def test_a_room_imports_what_it_may():
    assert not offenders(lambda path, tree: own_rooms(tree) - allowed(room(path)))


def test_the_table_has_no_way_round():
    left = {name: set(rooms.split()) for name, rooms in MAY_IMPORT.items()}
    while left:
        free = {name for name, rooms in left.items() if not rooms & left.keys()}
        assert free, f"these rooms import one another: {left}"
        left = {name: rooms for name, rooms in left.items() if name not in free}


def test_light_modules_import_nothing_heavy():
    heavy = {"keras", "tensorflow", "pandas", "numpy"}
    for name in LIGHT:
        tree = TREES[ROOT / "keras_prune" / name]
        assert not heavy & {found.split(".")[0] for found in imports_at_the_top(tree)}, name


def test_no_method_imports_another():
    folder = ROOT / "keras_prune" / "methods"
    methods = {entry.name for entry in folder.iterdir() if (entry / "__init__.py").exists()}

    def others(path: Path, tree: ast.Module) -> object:
        if room(path) != "methods" or path == folder / "__init__.py":  # which lists them
            return None
        used = {n.split(".")[2] for n in imports(tree) if n.startswith("keras_prune.methods.")}
        return used & methods - {path.relative_to(folder).parts[0]}

    assert not offenders(others)


def test_tensorflow_stays_in_its_rooms():
    def strays(path: Path, tree: ast.Module) -> object:
        here = room(path)
        if here not in TENSORFLOW_AT_THE_TOP and uses_tensorflow(imports_at_the_top(tree)):
            return "at the top"
        exempt = "/".join(path.parts[-2:]) in NEEDS_TENSORFLOW
        return here in NEVER_TENSORFLOW and not exempt and uses_tensorflow(imports(tree))

    assert not offenders(strays)


def test_the_package_prints_nothing():
    def prints(path: Path, tree: ast.Module) -> object:
        calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
        names = [name.id for name in calls if isinstance(name, ast.Name)]
        return room(path) != "cli" and "print" in names

    assert not offenders(prints)


def test_only_one_file_touches_keras_private_modules():
    def private(path: Path, tree: ast.Module) -> object:
        return path.name != "calls.py" and [n for n in imports(tree) if n.startswith("keras.src")]

    assert not offenders(private)


def test_the_guard_sees_what_it_guards():
    tree = ast.parse("import tensorflow as tf\nfrom keras_prune.cli import main\nprint(1)")
    assert uses_tensorflow(imports_at_the_top(tree))
    assert own_rooms(tree) == {"cli"}
    assert "methods" not in allowed("training") and "cli" not in allowed("methods")
