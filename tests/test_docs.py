"""The Python of every page of the documentation runs, from top to bottom, and then its commands."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from keras_prune.graph.rules import base

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base, "_LAYERS", dict(base._LAYERS))  # rules of the page go with it
    blocks = found(page, "python")
    assert blocks
    exec(compile("\n".join(blocks), str(page), "exec"), {"__name__": page.stem})
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    for block in found(page, "bash"):  # a command that cannot run here is indented instead
        command = ["bash", "-e", "-c", block]
        subprocess.run(command, check=True, timeout=300, env=os.environ | {"PATH": path})


def found(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_readme_links_every_page(page):
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
