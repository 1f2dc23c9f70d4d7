"""`make bench`: every contest, curve and weight, each in processes of their own, to one JSON file and one page.

    python benches/run.py [--rounds N] [--only PREFIX] [--seed N] [--out FOLDER] [--page]

Each contest runs in several processes on the fixed inputs, and in one more on its held-back variant: the same kind
of input from a random seed, which is printed and kept in the results. Where secval's ratio on the held-back variant
leaves the spread of the fixed one, something was tuned to the inputs. Curves, weights and load run once on each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import secrets
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import report
from contests.inputs import FIXED_SEED
from measure import merged, summary

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# The same code lies elsewhere in memory in every process: one process is one throw of those dice.
PROCESSES = 3
# A process that takes longer hangs.
PATIENCE = 300  # seconds
# Of load on each application, over all of its turns.
LOAD_SECONDS = "6"
PEERS = (
    "orjson",
    "jiter",
    "msgspec",
    "jsonschema",
    "jsonschema-rs",
    "fastjsonschema",
    "pydantic",
    "limits",
    "rust-py-rate-limit",
    "openapi-core",
    "fastapi",
    "starlette",
    "slowapi",
    "flask",
    "uvicorn",
)


class Progress:
    """One line on a terminal, rewritten; a line a step elsewhere."""

    def __init__(self, steps: int) -> None:
        self.steps, self.done, self.start = steps, 0, time.monotonic()

    def step(self, what: str) -> None:
        """Says what begins."""
        spent = int(time.monotonic() - self.start)
        bar = "#" * (24 * self.done // self.steps)
        line = f"[{bar:<24}] {self.done:>3}/{self.steps} {spent // 60}:{spent % 60:02} {what}"
        self.done += 1
        if sys.stderr.isatty():
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measures everything that was asked for."""
    options = _options()
    held_back = options.seed if options.seed is not None else secrets.randbelow(2**32)
    print(f"inputs: seed {FIXED_SEED}, held-back variants: seed {held_back}", file=sys.stderr)

    def listed(script: str) -> list[str]:
        return [name for name in _script(script).splitlines() if name.startswith(options.only)]

    contests, curves, weights = listed("turn.py"), listed("growth.py"), listed("memory.py")
    load = "load".startswith(options.only)
    steps = len(contests) * (PROCESSES + 1) + 2 * (len(curves) + len(weights) + load)
    progress = Progress(steps)
    results: dict[str, Any] = {
        "machine": machine(),
        "seeds": {"fixed": FIXED_SEED, "held back": held_back},
        "rounds": options.rounds * PROCESSES,
        "contests": {},
        "left out": [],
        "growth": {},
        "memory": {},
        "load": {},
    }
    for key in contests:
        measured = _contest(key, held_back, options.rounds, progress)
        if measured is None:
            results["left out"].append(key)
        else:
            results["contests"][key] = measured
    for kind, script, names in (
        ("growth", "growth.py", curves),
        ("memory", "memory.py", weights),
        ("load", "load.py", [LOAD_SECONDS] if load else []),
    ):
        for variant, seed in (("fixed", FIXED_SEED), ("held back", held_back)):
            measured = {
                name: json.loads(_told(progress, script, name, str(seed))) for name in names
            }
            results[kind][variant] = measured.get(LOAD_SECONDS, {}) if kind == "load" else measured
    progress.step("done")
    print(file=sys.stderr)
    options.out.mkdir(parents=True, exist_ok=True)
    found = options.out / "results.json"
    found.write_text(json.dumps(results, indent=1) + "\n")
    print(report.table(results))
    print(f"results: {os.path.relpath(found)}", file=sys.stderr)
    if options.page:
        print(f"page: {os.path.relpath(report.page(results, ROOT / 'docs'))}", file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="secval beside its peers.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in each process")
    parser.add_argument(
        "--only", default="", metavar="PREFIX", help="contests and the like of this name"
    )
    parser.add_argument("--seed", type=int, help="of the held-back variants; default: random")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "bench")
    parser.add_argument(
        "--page", action="store_true", help="write docs/performance.md and its pictures"
    )
    options = parser.parse_args()
    if options.page and options.only:
        parser.error("--page shows everything: leave out --only")
    return options


def _contest(key: str, held_back: int, rounds: int, progress: Progress) -> dict[str, Any] | None:
    parts = []
    for _ in range(PROCESSES):
        part = json.loads(_told(progress, "turn.py", key, str(FIXED_SEED), str(rounds)))
        if part is None:
            progress.done += PROCESSES
            return None
        parts.append(part)
    other = json.loads(_told(progress, "turn.py", key, str(held_back), str(rounds)))
    first = parts[0]["contenders"][0]["name"]
    hot, cold = ([part[which] for part in parts] for which in ("hot", "cold"))
    return {
        **{name: parts[0][name] for name in ("title", "contenders", "missing")},
        "hot": summary(merged(hot), first),
        "cold": summary(merged(cold), first),
        "held back": summary(other["hot"], first),
    }


def _told(progress: Progress, script: str, *arguments: str) -> str:
    progress.step(f"{script.removesuffix('.py')} {arguments[0]}")
    return _script(script, *arguments)


def _script(name: str, *arguments: str) -> str:
    # PYTHONHASHSEED is random in each: it is one of the things that a figure must not depend on.
    command = [sys.executable, str(HERE / name), *arguments]
    try:
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        message = f"{name} {' '.join(arguments)} failed: {error}"
        raise SystemExit(message) from error
    return done.stdout


def machine() -> dict[str, Any]:
    """The processor and the versions; nothing that names the host or a path."""
    cpu = re.search(r"^model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    versions: dict[str, str] = {}
    for name in ("secval", *PEERS):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        "python": platform.python_version(),
        "versions": versions,
    }


if __name__ == "__main__":
    sys.exit(main())
