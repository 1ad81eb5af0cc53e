"""The Python of every page of the documentation runs, each page from top to bottom."""

import re
from pathlib import Path

import pytest

from keras_prune.graph.rules import base

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base, "_LAYERS", dict(base._LAYERS))  # rules of the page go with it
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    assert blocks
    exec(compile("\n".join(blocks), str(page), "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_readme_links_every_page(page):
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
