"""The guide says what the code does: its tables are made of the code, its examples compile.

`python tests/python/test_docs.py` writes docs/reasons.md anew.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REASONS = ROOT / "docs" / "reasons.md"
POLICY = ROOT / "docs" / "policy.md"

HEAD = """# Reasons

Every refusal has one of these codes: in the problem document (`reason`), in `Verdict.reason`, in the log and in the counters.
A code means one status everywhere. Whose fault it is: the client's, the operator's (policy, server, sizes), or the gate's own.

| code | status | whose | what |
|---|---|---|---|
"""
ROW = re.compile(
    r'row\(\s*Reason::\w+,\s*"([^"]+)",\s*(\d+),\s*Blame::(\w+),\s*"((?:[^"\\]|\\.)*)",?\s*\)',
    re.DOTALL,
)


def reasons_page():
    rows = ROW.findall((ROOT / "src" / "reason.rs").read_text())
    lines = [
        f"| `{code}` | {status} | {blame.lower()} | {title} |"
        for code, status, blame, title in rows
    ]
    return HEAD + "\n".join(lines) + "\n"


def test_unsafe_code_is_where_the_security_page_says():
    page = (ROOT / "SECURITY.md").read_text()
    (listed,) = re.findall(r"\*\*Unsafe code\*\*(.*?)\n- ", page, re.DOTALL)
    unsafe = re.compile(r"^[^/\n]*\bunsafe (\{|fn|impl|extern)", re.MULTILINE)
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.rs")
        if unsafe.search(path.read_text())
    }
    assert found == set(re.findall(r"`(src/[^`]+)`", listed))


def test_the_page_of_reasons_is_the_table_of_the_code():
    page = reasons_page()
    assert page.count("\n| `") > 60
    assert REASONS.read_text() == page


def toml_blocks():
    return re.findall(r"^```toml\n(.*?)^```", POLICY.read_text(), re.DOTALL | re.MULTILINE)


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "security": [{"bearer": []}],
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/login": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {},
            }
        },
        "/v1/things": {"get": {"responses": {}}},
        "/admin/report": {"get": {"responses": {}}},
    },
}


def test_the_example_with_every_key_compiles(tmp_path):
    import secval  # noqa: PLC0415 -- this file is a script too, that needs no build

    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "drop.txt").write_text("192.0.2.0/24\n")
    blocks = toml_blocks()
    assert blocks
    for block in blocks:
        (tmp_path / "secval.toml").write_text(block)
        assert secval.Gate.from_file(tmp_path / "secval.toml", alone=True).operations()


def test_every_key_of_the_compiler_is_described():
    keys = set()
    for path in sorted((ROOT / "src" / "policy" / "config").glob("*.rs")):
        text = path.read_text()
        for found in re.findall(r"keys\(\s*&?\w+,\s*&\[(.*?)\]", text, re.DOTALL):
            keys.update(re.findall(r'"(\w+)"', found))
    assert len(keys) > 20
    page = POLICY.read_text()
    assert sorted(key for key in keys if f"`{key}`" not in page) == []


if __name__ == "__main__":
    REASONS.write_text(reasons_page())
