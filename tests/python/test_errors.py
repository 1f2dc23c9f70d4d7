"""The exceptions: what they carry, that they survive a pickle, and that they tell nobody's secrets."""

import copy
import json
import pickle

import pytest

import secval
from secval.errors import PolicyFault


def raised(call):
    with pytest.raises(secval.SecvalError) as caught:
        call()
    return caught.value


def test_all_are_of_one_family():
    for name in ("JSONError", "NotJudged", "PolicyError", "UsageError", "ValidationError"):
        assert issubclass(getattr(secval, name), secval.SecvalError)
    for kind in (secval.JSONError, secval.ValidationError, secval.PolicyError):
        assert issubclass(kind, ValueError)


def test_a_json_error_reads_like_the_standard_librarys():
    text = '{"a": 1,\n "a": 2}'
    error = raised(lambda: secval.loads(text))
    assert (error.code, error.offset, error.line, error.column) == ("json.duplicate_key", 10, 2, 2)
    assert (error.pos, error.lineno, error.colno) == (10, 2, 2)
    with pytest.raises(json.JSONDecodeError) as other:
        json.loads(text[:12])
    assert {"msg", "pos", "lineno", "colno"} <= set(dir(other.value)) & set(dir(error))
    assert str(error).endswith("line 2 column 2 (byte 10)")


def test_a_validation_error_names_the_first_violation_and_lists_all_when_asked():
    schema = secval.Schema(
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]}
    )
    for value in ({"a": 1}, b'{"a": 1}', bytearray(b'{"a": 1}')):
        error = raised(lambda value=value: schema.validate(value))
        assert str(error) == "the value violates its schema: is not of type string"
        assert list(error.violations) == schema.check({"a": 1})
        assert len(error.violations) == 2
        assert error.violations is error.violations
    for text in ('{"a": 1}', b'{"a": 1}', bytearray(b'{"a": 1}')):
        error = raised(lambda text=text: schema.loads(text))
        assert list(error.violations) == schema.check({"a": 1})
    told = secval.ValidationError(error.violations)
    first = error.violations[0].message
    assert str(told) == f"the value violates its schema: {first} (and 1 more)"


def test_what_was_refused_is_what_is_listed_whatever_became_of_it_since():
    schema = secval.Schema({"items": {"type": "integer"}})
    value = ["a", 2, "c"]
    text = bytearray(b'["a", 2, "c"]')
    errors = [raised(lambda: schema.validate(value)), raised(lambda: schema.validate(text))]
    errors.append(raised(lambda: schema.loads(text)))
    value.clear()
    text[:] = b"[]"
    for error in errors:
        assert [violation.pointer for violation in error.violations] == ["/0", "/2"]


def test_a_policy_error_has_one_line_a_fault():
    error = secval.PolicyError([("a.toml", "/x", 3, "no"), ("b.yaml", "", 0, "not there")])
    assert str(error) == "a.toml:3: /x: no\nb.yaml: not there"
    assert error.faults[0] == PolicyFault("a.toml", "/x", 3, "no")


@pytest.mark.parametrize(
    "call",
    [
        lambda: secval.loads("[1,"),
        lambda: secval.Schema(False).validate(1),
        lambda: secval.Schema({"type": "no such"}),
        lambda: secval.Limiter("often"),
        secval.current,
    ],
)
def test_they_survive_a_pickle_and_a_copy(call):
    error = raised(call)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_no_message_repeats_what_was_submitted():
    secret = "hunter2"
    schema = secval.Schema(
        {
            "properties": {
                "a": {"const": "sesame"},
                "b": {"pattern": "^sesame"},
                "c": {"enum": ["sesame"]},
            }
        },
        closed=True,
    )
    for text in (
        f'{{"{secret}": 1, "{secret}": 2}}',
        f'["{secret}",]',
        f'{{"a": "{secret}"}}',
        f'{{"b": "{secret}"}}',
        f'{{"c": "{secret}"}}',
        f'{{"{secret}": 1}}',
        f'"{secret}',
    ):
        error = raised(lambda text=text: schema.loads(text))
        violations = getattr(error, "violations", ())
        shown = [str(error), repr(error), *map(str, violations), *(v.message for v in violations)]
        assert not any(secret in line or "sesame" in line for line in shown), shown
