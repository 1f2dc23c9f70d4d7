"""Counts the instructions of fixed scenarios under callgrind, and compares them with the committed baseline.

    python benches/instructions/count.py              fails (exit 1) if a scenario costs more than before
    python benches/instructions/count.py --bless      writes the counts down, after a fall or a new scenario
    python benches/instructions/count.py --only parse.    the scenarios of this name alone
    python benches/instructions/count.py --explain parse.order    the functions that one scenario spends them in

Instructions are not time, but they are the same on a busy machine as on an idle one: a rise of one percent is a
change of the code, not of the weather. Counts of two compilers say nothing about each other, so the baseline names
the compiler and the processor's tier, and others are an error that asks for a new baseline. The inputs are fixed by
their seed; hash seeds are random, so that a figure is the median of three. The instruction set is fixed by valgrind, which offers AVX2 and nothing newer.

Python calls are counted as the difference of two runs, long and short, so that starting the interpreter cancels out.
They are held to a wider margin: they contain the interpreter's own work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = HERE / "baseline.json"
REGION = "*secval_counted_region*"
# What may come of a change elsewhere (layout, an inlining decision) without being looked at.
MARGIN = {"rust": 1.0, "python": 3.0}  # percent
# Counts of another compiler, architecture or instruction set say nothing about each other.
DECISIVE = ("rustc", "profile", "machine", "cpu")
# A Python call's count, per call: (long - short) / (LONG - SHORT).
SHORT, LONG = 20, 520

Counts = dict[str, dict[str, int]]


def main() -> int:
    """Counts, then compares, blesses or explains."""
    options = _options()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed (Debian: apt-get install valgrind)", file=sys.stderr)
        return 2
    binary = _build()
    if options.explain:
        return _explain(binary, options.explain)
    counts: Counts = {
        "rust": _count_rust(binary, options.only),
        "python": _count_python(options.only),
    }
    tools = _tools()
    if options.bless:
        BASELINE.write_text(json.dumps({"tools": tools, **counts}, indent=2, sort_keys=True) + "\n")
        print(f"written: {BASELINE.relative_to(ROOT)}")
        return 0
    if not BASELINE.exists():
        print("FAILED there is no baseline to compare with: `make bless` writes it")
        return 1
    baseline = json.loads(BASELINE.read_text())
    for language in counts:
        known = baseline[language].items()
        baseline[language] = {name: count for name, count in known if name.startswith(options.only)}
    return _compare(counts, baseline, tools)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Instruction counts against the committed baseline."
    )
    parser.add_argument(
        "--bless", action="store_true", help="write the counts down as the baseline"
    )
    parser.add_argument("--explain", metavar="SCENARIO", help="show where one scenario spends them")
    parser.add_argument("--only", default="", metavar="PREFIX", help="scenarios of this name alone")
    options = parser.parse_args()
    if options.bless and options.only:
        parser.error("a baseline has all scenarios: leave out --only")
    return options


def _build() -> Path:
    """The scenarios' binary, as the release is compiled."""
    print("compiling the scenarios (release, link-time optimised)", flush=True)
    command = ["cargo", "bench", "--no-run", "--bench", "instructions", "--message-format=json"]
    profile = os.environ.get("SECVAL_BENCH_PROFILE")  # `quick` while working on something
    if profile:
        command += ["--profile", profile]
    out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    (found,) = [
        it["executable"]
        for it in messages
        if it.get("target", {}).get("name") == "instructions" and it.get("executable")
    ]
    return Path(found)


def _callgrind(command: list[str], *options: str) -> int:
    """Instructions that callgrind collected over one command."""
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *options]
        # An environment of our own: its size moves the stack, and PYTHONHASHSEED fixes Python's hashes.
        environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*valgrind, *command],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        message = f"{' '.join(command)} failed under callgrind:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return int(found[1])


def _count_rust(binary: Path, prefix: str) -> dict[str, int]:
    names = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.split()

    def count(name: str) -> int:
        found = [_callgrind([str(binary), name], f"--toggle-collect={REGION}") for _ in range(3)]
        return sorted(found)[1]

    return _in_parallel([name for name in names if name.startswith(prefix)], count)


def _count_python(prefix: str) -> dict[str, int]:
    script = str(HERE / "calls.py")
    # -s -P: neither the user's packages nor the working folder decide what is imported. (-E would ignore
    # PYTHONHASHSEED.)
    python = [sys.executable, "-s", "-P", script]
    names = subprocess.run(python, check=True, capture_output=True, text=True).stdout.split()

    def count(name: str) -> int:
        long, short = (_callgrind([*python, name, str(calls)]) for calls in (LONG, SHORT))
        return (long - short) // (LONG - SHORT)

    return _in_parallel([name for name in names if name.startswith(prefix)], count)


def _in_parallel(names: list[str], count: Callable[[str], int]) -> dict[str, int]:
    counts = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, instructions in zip(names, pool.map(count, names), strict=True):
            counts[name] = instructions
            print(f"  {name:<28} {instructions:>12,}", flush=True)
    return counts


def _tools() -> dict[str, str]:
    def version(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return {
        "rustc": version("rustc", "--version"),
        "profile": os.environ.get("SECVAL_BENCH_PROFILE", "release"),
        "machine": platform.machine(),
        "cpu": _tier(),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "valgrind": version("valgrind", "--version"),
    }


def _tier() -> str:
    """What valgrind offers of this processor: it knows AVX2, and nothing newer."""
    flags = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    found = set(flags[1].split()) if flags else set()
    return "x86-64-v3" if {"avx2", "bmi2", "fma", "movbe"} <= found else "another"


def _compare(counts: Counts, baseline: dict[str, dict], tools: dict[str, str]) -> int:
    then = baseline["tools"]
    for name in DECISIVE:
        if then.get(name) != tools[name]:
            print(f"FAILED the baseline is of {name} {then.get(name)!r}; this is {tools[name]!r}.")
            print("Such counts do not compare: look at the figures above, then `make bless`.")
            return 1
    for name in sorted(set(tools) - set(DECISIVE)):
        if then.get(name) != tools[name]:
            print(f"note: the baseline is of {name} {then.get(name)}, this is {tools[name]}")
    faults: list[str] = []
    for language, margin in MARGIN.items():
        if language == "python" and then["python"] != tools["python"]:
            print(f"note: Python calls are not compared: the baseline is of {then['python']}")
            continue
        faults += _differences(counts[language], baseline[language], margin)
    for line in faults:
        print(f"FAILED {line}")
    print(f"{sum(map(len, counts.values()))} scenarios counted, {len(faults)} failed")
    return 1 if faults else 0


def _differences(found: dict[str, int], known: dict[str, int], margin: float) -> list[str]:
    """What is a fault; falls are printed."""
    faults = [
        f"{name}: no longer counted; if that is meant: `make bless`"
        for name in known.keys() - found
    ]
    faults += [
        f"{name}: not in the baseline; write it down: `make bless`" for name in found.keys() - known
    ]
    for name in sorted(known.keys() & found):
        change = 100 * (found[name] / known[name] - 1)
        line = f"{name}: {known[name]:,} -> {found[name]:,} instructions ({change:+.2f} %)"
        if change > margin:
            faults.append(f"{line}, more than {margin:g} % up")
        elif change < -margin:
            print(f"fell: {line}; write it down: `make bless`")
    return faults


def _explain(binary: Path, name: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        command = [
            "valgrind",
            "--tool=callgrind",
            f"--callgrind-out-file={out}",
            f"--toggle-collect={REGION}",
        ]
        subprocess.run([*command, binary, name], check=True, capture_output=True)
        for inclusive in ("yes", "no"):
            print(
                f"== {name}, {'with' if inclusive == 'yes' else 'without'} what each function calls"
            )
            table = subprocess.run(
                [  # noqa: S607 -- beside valgrind, wherever that is
                    "callgrind_annotate",
                    f"--inclusive={inclusive}",
                    "--auto=no",
                    "--threshold=97",
                    out,
                ],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            rows = [line for line in table.splitlines() if re.match(r"\s*[\d,]+ \(", line)]
            print("\n".join(row[:160] for row in rows[:16]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
