"""Runs a command under callgrind, and reads what it found.

The format is in valgrind's manual, "Callgrind Format Specification".
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

COST = re.compile(r"(?:\+|-|\*)?\d*\s+(\d+)$")
NAME = re.compile(r"\((\d+)\)(?: (.*))?$")
# A function that calls itself is shown once more for each level that is kept apart.
LEVEL = re.compile(r"'\d+$")


@dataclass
class Profile:
    """What one run spent.

    Attributes:
        total: All instructions that were collected.
        own: By function, without what it calls.
        calls: By caller and callee, with all that the callee calls.
    """

    total: int = 0
    own: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    calls: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def share(self, function: str) -> float:
        """The part of all instructions spent in functions of this name, and in what they call.

        Args:
            function: The end of its path, as `json::parser::parse`. Generic arguments do not count. What stands between
                calls of the function by itself is counted once.
        """

        def named(name: str) -> bool:
            return plain(name).endswith(function)

        spent = sum(
            cost
            for (caller, callee), cost in self.calls.items()
            if named(callee) and not named(caller)
        )
        return min(1.0, spent / self.total) if self.total else 0.0

    def inclusive(self) -> dict[str, int]:
        """Instructions by function, with what it calls, the most expensive first."""
        spent: dict[str, int] = defaultdict(int)
        for (caller, callee), cost in self.calls.items():
            if plain(caller) != plain(callee):
                spent[plain(callee)] += cost
        return dict(sorted(spent.items(), key=lambda item: -item[1]))

    def alone(self) -> dict[str, int]:
        """The same without what it calls."""
        spent: dict[str, int] = defaultdict(int)
        for name, cost in self.own.items():
            spent[plain(name)] += cost
        return dict(sorted(spent.items(), key=lambda item: -item[1]))


def plain(name: str) -> str:
    """A function's path without generic arguments, `<T as Trait>` as `T`."""
    name = LEVEL.sub("", name)
    name = re.sub(r"^<(.*?)(?: as .*?)?>::", r"\1::", name)
    while "<" in name:
        shorter = re.sub(r"(?:::)?<[^<>]*>", "", name)
        if shorter == name:
            break
        name = shorter
    return name


def environment() -> dict[str, str]:
    """What a counted command has for an environment: a longer one moves the stack; Python's hashes are fixed."""
    return {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}


def run(command: list[str], *options: str, cwd: Path) -> Profile:
    """Instructions of one command, in an environment of its own.

    Raises:
        RuntimeError: The command failed, or callgrind did.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *options]
        done = subprocess.run(
            [*valgrind, *command],
            check=False,
            capture_output=True,
            text=True,
            env=environment(),
            cwd=cwd,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode or not found:
            message = f"{' '.join(command)} failed under callgrind:\n{done.stdout}{done.stderr}"
            raise RuntimeError(message)
        profile = _read(out.read_text())
    profile.total = int(found[1])
    return profile


def _read(text: str) -> Profile:
    profile = Profile()
    names: dict[str, str] = {}
    function = callee = ""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key in {"fn", "cfn"}:
            found = NAME.match(value)
            name = value if found is None else names.setdefault(found[1], found[2] or "")
            if key == "fn":
                function, callee = name, ""
            else:
                callee = name
        elif equals:
            continue
        elif cost := COST.match(line):
            # The line after `calls=` is what the callee spent; every other one is the function's own.
            if callee:
                profile.calls[function, callee] += int(cost[1])
                callee = ""
            else:
                profile.own[function] += int(cost[1])
    return profile
