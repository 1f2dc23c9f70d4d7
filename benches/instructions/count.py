"""Counts the instructions of fixed scenarios under callgrind, and compares them with the committed baseline.

    python benches/instructions/count.py              fails (exit 1) if a scenario costs more than before
    python benches/instructions/count.py --bless      writes the counts down, after a fall or a new scenario
    python benches/instructions/count.py --only parse.    the scenarios of this name alone
    python benches/instructions/count.py --explain parse.order    the functions that one scenario spends them in
    ... --explain parse.order --against BINARY    what changed since this one was compiled, in another checkout or before

Instructions are not time, but they are the same on a busy machine as on an idle one: a rise of one percent is a
change of the code, not of the weather. What else could move them is fixed:

- the inputs, by their seed; hash seeds, by `--cfg secval_fixed_seed` and a libc that gives no randomness (`main.rs`);
- the heap, by an allocator that costs the same whatever happened before (`arena.rs`);
- the compiler and its options: profile `counting`; the baseline names the compiler, and another one is an error;
- the processor: valgrind shows every program the same one, with AVX2 and nothing newer, if it runs on one that has
  AVX2. What chooses its code at run time chooses the same everywhere; a processor without AVX2 is an error;
- the environment, which is made anew, and the folder: the program is started by the same short name.

Python calls are counted on the extension that is installed, as the difference of two runs, long and short, so that
starting the interpreter cancels out. They are held to a wider margin: they contain the interpreter's own work, and
the extension's hash seeds are random.
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

import callgrind

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = HERE / "baseline.json"
REGION = "--toggle-collect=*secval_counted_region*"
PROFILE = "counting"
# What may come of a change elsewhere (layout, an inlining decision) without being looked at.
MARGIN = {"rust": 1.0, "python": 3.0}  # percent
# The part of a scenario that the function it is about must have: a slowdown of that function by five percent is then
# four percent of the scenario, far above the margin.
SHARE = 0.8
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
        return _explain(binary, options.explain, options.against)
    rust, idle = _count_rust(binary, options.only)
    counts: Counts = {"rust": rust, "python": _count_python(options.only)}
    tools = _tools()
    for line in idle:
        print(f"FAILED {line}")
    if options.bless:
        if idle:
            return 1
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
    return max(_compare(counts, baseline, tools), 1 if idle else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Instruction counts against the committed baseline."
    )
    parser.add_argument(
        "--bless", action="store_true", help="write the counts down as the baseline"
    )
    parser.add_argument("--explain", metavar="SCENARIO", help="show where one scenario spends them")
    parser.add_argument(
        "--against", metavar="BINARY", type=Path, help="with --explain: an earlier one's scenarios"
    )
    parser.add_argument("--only", default="", metavar="PREFIX", help="scenarios of this name alone")
    options = parser.parse_args()
    if options.against and not options.explain:
        parser.error("--against goes with --explain")
    if options.bless and options.only:
        parser.error("a baseline has all scenarios: leave out --only")
    return options


def _build() -> Path:
    """The scenarios' binary, in a folder of its own: what is built with other flags would be built again."""
    print(f"compiling the scenarios (profile {PROFILE})", flush=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "counting"
    command = ["cargo", "bench", "--no-run", "--bench", "instructions", "--profile", PROFILE]
    command += ["--message-format=json", "--target-dir", str(target)]
    # The flags are ours alone: others would change what is counted.
    environment = {**os.environ, "RUSTFLAGS": "--cfg secval_fixed_seed"}
    out = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    messages = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    (found,) = [
        it["executable"]
        for it in messages
        if it.get("target", {}).get("name") == "instructions" and it.get("executable")
    ]
    return Path(found)


def _count_rust(binary: Path, prefix: str) -> tuple[dict[str, int], list[str]]:
    """The counts, and what is wrong with scenarios that are not about what they say."""
    idle: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        # Started by the same name everywhere: the length of a path moves the stack.
        Path(folder, "scenarios").symlink_to(binary)
        command = ["./scenarios"]
        listed = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout
        hot = dict(line.split() for line in listed.splitlines() if line.startswith(prefix))

        def count(name: str) -> int:
            profile = callgrind.run([*command, name], REGION, cwd=Path(folder))
            share = profile.share(hot[name])
            if share < SHARE:
                idle.append(
                    f"{name}: {hot[name]} is {share:.0%} of it, and must be {SHARE:.0%}: "
                    "see --explain, and scenarios.rs"
                )
            return profile.total

        return _in_parallel(list(hot), count), idle


def _count_python(prefix: str) -> dict[str, int]:
    script = str(HERE / "calls.py")
    # -s -P: neither the user's packages nor the working folder decide what is imported. (-E would ignore
    # PYTHONHASHSEED.)
    python = [sys.executable, "-s", "-P", script]
    names = subprocess.run(python, check=True, capture_output=True, text=True).stdout.split()

    def count(name: str) -> int:
        # Once without counting: what is imported for the first time is compiled, and kept. In the same environment:
        # ours may say that nothing is to be kept.
        subprocess.run([*python, name, "1"], check=True, env=callgrind.environment(), cwd=ROOT)
        long, short = (
            callgrind.run([*python, name, str(calls)], cwd=ROOT).total for calls in (LONG, SHORT)
        )
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
        "profile": PROFILE,
        "machine": platform.machine(),
        "cpu": _tier(),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "valgrind": version("valgrind", "--version"),
    }


def _tier() -> str:
    """What valgrind shows of this processor: one with AVX2 and what came with it, or something older."""
    flags = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    found = set(flags[1].split()) if flags else set()
    return "x86-64-v3" if {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"} <= found else "another"


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


def _explain(binary: Path, name: str, against: Path | None) -> int:
    """The functions that a scenario spends its instructions in, with and without what they call; or what changed."""
    profile = callgrind.run([str(binary), name], REGION, cwd=ROOT)
    print(f"binary: {binary}")
    if against is not None:
        then, now = (
            it.alone()
            for it in (callgrind.run([str(against.resolve()), name], REGION, cwd=ROOT), profile)
        )
        change = {it: now.get(it, 0) - then.get(it, 0) for it in then.keys() | now.keys()}
        print(f"== {name}, {sum(change.values()):+,}, by function, without what each calls")
        for function in sorted(change, key=lambda it: -abs(change[it]))[:20]:
            print(f"  {change[function]:>+12,} of {then.get(function, 0):>12,}  {function[:110]}")
        return 0
    for title, spent in (
        ("with what each calls", profile.inclusive()),
        ("without", profile.alone()),
    ):
        print(f"== {name}, {title}")
        for function, instructions in list(spent.items())[:20]:
            print(f"  {instructions / profile.total:>6.1%} {instructions:>12,}  {function[:110]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
