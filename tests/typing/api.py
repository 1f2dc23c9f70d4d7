"""What a type checker makes of the public names. Read by mypy and pyright, never run."""

from typing import Any, assert_type

import secval
from secval.config import ApiConfig, Config

assert_type(secval.loads(b"1"), Any)
assert_type(secval.Limits(max_depth=3).max_depth, int)

schema = secval.Schema({"type": "integer"}, closed=True)
assert_type(schema.is_valid(b"1"), bool)
assert_type(schema.check(b"1"), list[secval.Violation])

limiter = secval.Limiter("1/second")
decision = limiter.hit("ada", cost=1)
assert_type(decision, secval.Decision)
assert_type(decision.allowed, bool)
assert_type(decision.retry_after, float)

gate = secval.Gate.from_openapi({}, config=Config(api=ApiConfig(hosts=["api.test"])))
verdict = gate.judge("GET", "/", [("Host", "api.test")], peer=None)
assert_type(verdict, secval.Verdict)
assert_type(verdict.reason, str | None)
assert_type(verdict.status, int)
answer = gate.head("GET", "/", [(b"host", b"api.test")], peer="192.0.2.1")
assert_type(answer, secval.Verdict | secval.Pending)
assert_type(secval.current(), secval.Verdict)

gate.judge("GET", "/", {"Host": "api.test"}, peer=None)  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
secval.Limits(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
