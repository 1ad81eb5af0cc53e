"""The Python of every page of the documentation runs, from top to bottom, and then its commands."""

import os
import re
import runpy
import subprocess
import sysconfig
from pathlib import Path

import pytest

from keras_prune.graph.rules import base

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


SLOW = {
    "criteria.md",
    "extending.md",
    "magnitude.md",
    "runtime-pruning.md",
    "tracking.md",
    "your-own-data.md",
}


@pytest.fixture(
    params=[
        pytest.param(page, marks=[pytest.mark.slow] if page.name in SLOW else [], id=page.name)
        for page in PAGES
        if "```python" in page.read_text(encoding="utf-8")
    ]
)
def page(request, tmp_path, monkeypatch):
    """The text of a page whose Python has run, in the directory it ran in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base, "_LAYERS", dict(base._LAYERS))  # rules of the page go with it
    text = request.param.read_text(encoding="utf-8")
    blocks = found(text, "python")
    exec(compile("\n".join(blocks), str(request.param), "exec"), {"__name__": request.param.stem})
    return text


def found(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_the_examples_run(page):
    """Which the fixture has done."""


@pytest.mark.slow
def test_the_commands_run(page):
    """A command that cannot run here is indented instead of fenced."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    for block in found(page, "bash"):
        command = ["bash", "-e", "-c", block]
        subprocess.run(command, check=True, timeout=600, env=os.environ | {"PATH": path})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_readme_links_every_page(path):
    assert f"(docs/{path.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.tensorflow
def test_what_can_be_pruned_is_what_the_rules_say():
    script = runpy.run_path(str(ROOT / "docs" / "support.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"]()


def test_what_was_tried_names_tests_that_there_are():
    page = (ROOT / "docs" / "what-was-tried.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
