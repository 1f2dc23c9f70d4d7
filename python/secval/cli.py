"""`secval` on the command line: look at a policy, try requests on it, time them, look at the table that processes count in.

    secval check secval.toml
    secval test secval.toml POST /v1/bookings --body booking.json -H 'Host: api.example.com'
    secval bench secval.toml requests.jsonl --budget 3
    secval limiter inspect NAME

Starts no server and sends nothing; what is tried here is counted nowhere else.

Exit codes: 0 for a sound policy, an allowed request, a budget that is kept or a table that is there, 1 for a policy
with faults, a refused request, a budget that is exceeded or no such table, 2 for a command that could not be understood.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secval import _bench
from secval._core import Gate, ManualClock, inspect_limiter, remove_limiter
from secval.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from secval._core import Verdict
    from secval.types import Scheme

__all__ = ["main"]

OK, FAULT, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Those of the process when None.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    if options.command == "limiter":
        return _limiter(options)
    # Moves only when `bench` has used a quota up.
    clock = ManualClock()
    clock.set_wall(time.time())
    try:
        gate = Gate.from_file(options.policy, alone=True, clock=clock)
    except PolicyError as error:
        _show_faults(error, as_json=options.json is True)
        return FAULT
    if options.command == "check":
        return _check(gate, options)
    if options.command == "bench":
        return _time(gate, clock, options)
    return _test(gate, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="secval", description="Look at a policy, try requests on it, look at shared tables."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("policy", metavar="POLICY", help="secval.toml, or an OpenAPI document")
    _bench_parser(commands, common)
    common = argparse.ArgumentParser(add_help=False, parents=[common])
    common.add_argument("--json", action="store_true", help="for programs")

    check = "compile a policy: list its operations with what each demands, or all of its faults"
    commands.add_parser("check", parents=[common], help=check, description=check)

    judge = "judge one request, and print the verdict"
    test = commands.add_parser("test", parents=[common], help=judge, description=judge)
    test.add_argument("method", metavar="METHOD")
    test.add_argument("target", metavar="TARGET", help="as in the request line, still encoded")
    test.add_argument(
        "-H",
        "--header",
        metavar="NAME:VALUE",
        action="append",
        default=[],
        type=_header,
        help="may be given again",
    )
    test.add_argument("--body", metavar="FILE", type=_file, help="a file, or - for standard input")
    test.add_argument("--peer", metavar="IP", default="127.0.0.1", help="(default: 127.0.0.1)")
    test.add_argument(
        "--scheme",
        choices=("http", "https", "ws", "wss"),
        help="(default: https if the policy has it)",
    )
    _limiter_parser(commands)
    return parser


def _bench_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    timed = "time the policy on sample requests, and hold that to a budget or an earlier run"
    _bench.add_arguments(
        commands.add_parser("bench", parents=[common], help=timed, description=timed)
    )


def _limiter_parser(commands: Any) -> None:
    shared = "the tables that processes of this user count quotas in"
    limiter = commands.add_parser("limiter", help=shared, description=shared)
    actions = limiter.add_subparsers(dest="action", required=True, metavar="ACTION")
    name = argparse.ArgumentParser(add_help=False)
    name.add_argument("name", metavar="NAME", help="as `shared` has it, or `secval check` shows it")
    inspect = "show a table: its quotas with the keys that count, its sizes, what has happened"
    shown = actions.add_parser("inspect", parents=[name], help=inspect, description=inspect)
    shown.add_argument("--json", action="store_true", help="for programs")
    remove = "remove a table's name: its processes go on counting in it, later ones make a new one"
    actions.add_parser("remove", parents=[name], help=remove, description=remove)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        message = "a header is NAME:VALUE"
        raise argparse.ArgumentTypeError(message)
    return name, value.strip()


def _file(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise argparse.ArgumentTypeError(message) from error


# ---- check ----


def _check(gate: Gate, options: argparse.Namespace) -> int:
    operations = gate.operations()
    if options.json:
        _print_json(operations)
        return OK
    common = _common(operations)
    rows = [_row(operation, common) for operation in operations]
    for line in _table(("operation", "parameters", "body", "quotas", "who", "notes"), rows):
        print(line)
    print()
    for rate in common:
        print(f"every request: {_rate(rate)}")
    if gate.shared is not None:
        print(f"quotas are counted by all processes together, in the table {gate.shared}")
    elif gate.sharing_unsaid:
        print('quotas are counted by each process alone ([rate] shared = "auto": together)')
    print(f"{len(rows)} operations; everything else is refused")
    return OK


def _common(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rates that all operations have: said once."""
    first: list[dict[str, Any]] = operations[0]["quotas"] if operations else []
    return [rate for rate in first if all(rate in other["quotas"] for other in operations)]


def _rate(rate: dict[str, Any]) -> str:
    subject = " and ".join(rate["subject"])
    monitored = "" if rate["mode"] == "enforce" else f" ({rate['mode']})"
    return f"{rate['name']} {'; '.join(rate['quotas'])} by {subject}{monitored}"


def _row(operation: dict[str, Any], common: list[dict[str, Any]]) -> tuple[str, ...]:
    body = operation["body"]
    parameters = [
        parameter["name"] + ("" if parameter["required"] else "?")
        for parameter in operation["parameters"]
    ]
    quotas = [_rate(rate) for rate in operation["quotas"] if rate not in common]
    who = [*(operation["addresses"] or ())]
    if operation["auth"]:
        who.append(f"credentials ({operation['auth']})")
    return (
        f"{operation['method']} {' '.join(operation['paths'])}",
        " ".join(parameters),
        f"{_bytes(body['max_bytes'])}{'' if body['required'] else ', optional'}" if body else "",
        ", ".join(quotas),
        ", ".join(who),
        ", ".join(_notes(operation)),
    )


def _notes(operation: dict[str, Any]) -> Iterable[str]:
    if operation["mode"] != "enforce":
        yield f"mode {operation['mode']}"
    for flag in ("hidden", "websocket"):
        if operation[flag]:
            yield flag
    for date in ("deprecated", "sunset"):
        if operation[date] is not None:
            yield f"{date} {datetime.fromtimestamp(operation[date], UTC):%Y-%m-%d}"


def _bytes(count: int) -> str:
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} bytes"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lines with their columns aligned; a column that is empty everywhere is left out."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in kept]
    for row in table:
        cells = (row[column].ljust(width) for column, width in zip(kept, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _show_faults(error: PolicyError, *, as_json: bool) -> None:
    if as_json:
        _print_json([fault._asdict() for fault in error.faults])
        return
    for fault in error.faults:
        print(fault, file=sys.stderr)
    count = len(error.faults)
    print(f"{count} fault{'s' if count > 1 else ''}", file=sys.stderr)


# ---- test ----


def _test(gate: Gate, options: argparse.Namespace) -> int:
    headers: list[tuple[str, str]] = options.header
    given = {name.lower() for name, _ in headers}
    body: bytes = options.body or b""
    if body:
        # What any client sends beside a body.
        if "content-type" not in given:
            headers = [*headers, ("Content-Type", "application/json")]
        if not given & {"content-length", "transfer-encoding"}:
            headers = [*headers, ("Content-Length", str(len(body)))]
    if "host" not in given:
        headers = [*headers, ("Host", _host(gate))]
    scheme = options.scheme or _scheme(gate)
    verdict = gate.judge(
        options.method,
        options.target,
        headers,
        body,
        peer=options.peer,
        scheme=scheme,
        websocket=scheme in {"ws", "wss"},
    )
    if options.json:
        _print_json(_described(verdict))
    else:
        _show_verdict(verdict)
    return OK if verdict.allowed else FAULT


def _host(gate: Gate) -> str:
    """The first name that the policy has; any would do where it takes any."""
    name = gate.hosts[0] if gate.hosts else "*"
    return "localhost" if name == "*" else name


def _scheme(gate: Gate) -> Scheme:
    return "https" if "https" in gate.schemes else "http"


def _described(verdict: Verdict) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "status": verdict.status,
        "reason": verdict.reason,
        "would_refuse": verdict.would_refuse,
        "operation": verdict.operation,
        "client": verdict.client,
        "request_id": verdict.request_id,
        "headers": verdict.headers,
        "params": verdict.params if verdict.judged else None,
        "problem": json.loads(verdict.problem()) if verdict.problem() else None,
        "elapsed_us": verdict.elapsed_us,
    }


def _show_verdict(verdict: Verdict) -> None:
    if verdict.allowed:
        print("allowed")
    else:
        print(f"refused {verdict.status} {verdict.reason}")
    rows: list[tuple[str, str]] = []
    if verdict.would_refuse:
        rows.append(("would be refused", verdict.would_refuse))
    rows.append(("operation", verdict.operation or "-"))
    rows.append(("client", verdict.client or "-"))
    rows.append(("in the gate", f"{verdict.elapsed_us:.0f} µs"))
    rows.extend((name, value) for name, value in verdict.headers)
    if verdict.judged:
        rows.extend(
            (f"{place} {name}", json.dumps(value, ensure_ascii=False))
            for place, values in verdict.params.items()
            for name, value in values.items()
        )
        rows.append(("body", f"{len(verdict.raw)} bytes" if verdict.raw else "none"))
    for line in _table(("", ""), rows):
        if line:
            print(f"  {line}")
    if verdict.problem():
        print()
        _print_json(json.loads(verdict.problem()))


# ---- bench ----


def _time(gate: Gate, clock: ManualClock, options: argparse.Namespace) -> int:
    left_out: list[str] = []
    try:
        if options.samples is None:
            samples, left_out = _bench.generated(gate)
        else:
            samples = _bench.read_samples(options.samples, gate)
    except _bench.SampleError as error:
        print(error, file=sys.stderr)
        return USAGE
    try:
        found = _bench.measure(
            gate, clock, samples, _bench.Settings(rounds=options.rounds, progress=_progress)
        )
    except _bench.SampleError as error:
        print(error, file=sys.stderr)
        return FAULT
    head, *rows = _bench.table(found, options.compare)
    for line in _table(head, rows):
        print(line)
    print()
    print(f"a ratio of 1 is {found.calibration_us:.1f} µs: json.loads of 1,000 bytes, here and now")
    if left_out:
        print(f"not guessed, give samples for them: {', '.join(left_out)}")
    if options.json is not None:
        options.json.write_text(found.to_json())
    own = {sample.name: sample.budget for sample in samples}
    budget = _bench.Budget(options.budget, options.budget_us, options.tolerance)
    faults = _bench.faults(found, budget, base=options.compare, own=own)
    for fault in faults:
        print(f"FAILED {fault}", file=sys.stderr)
    return FAULT if faults else OK


def _progress(done: int, rounds: int) -> None:
    """One line, rewritten; none where nobody watches."""
    if sys.stderr.isatty():
        line = f"[{'#' * (24 * done // rounds):<24}] round {done} of {rounds}"
        print(f"\r\033[K{line if done < rounds else ''}", end="", file=sys.stderr, flush=True)


# ---- limiter ----


def _limiter(options: argparse.Namespace) -> int:
    try:
        if options.action == "remove":
            remove_limiter(options.name)
            return OK
        found = inspect_limiter(options.name)
    except UsageError as error:
        print(error, file=sys.stderr)
        return FAULT
    if options.json:
        _print_json(found)
        return OK
    quotas = found.pop("quotas")
    rows = [(row["quota"] or "bans", str(row["live"])) for row in quotas]
    for line in _table(("quota", "keys that count"), rows):
        print(line)
    print()
    for line in _table(("", ""), [(name, str(value)) for name, value in found.items()]):
        if line:
            print(line)
    return OK


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
