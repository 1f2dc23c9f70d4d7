"""Every Python block of the README runs as it stands, one after the other; every document that it names is there."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT
from support import scope, serve

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_blocks_run(page):
    names = {}
    for block in blocks(page):
        exec(compile(block, page.name, "exec"), names)


def test_the_readmes_application_greets():
    names = {}
    found = blocks(ROOT / "README.md")
    assert len(found) >= 3
    for block in found:
        exec(compile(block, "README.md", "exec"), names)
    host = [(b"host", b"api.example.com")]
    good = scope(path="/hello/ada", scheme="https") | {"headers": host}
    assert serve(names["app"], good).body == b"Hello, ada"
    bad = scope(path="/hello/ada", scheme="https", query=b"x=1") | {"headers": host}
    assert serve(names["app"], bad).reason == "param.undeclared"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_it_links_to_is_there(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []
