"""Config says exactly what `secval.toml` says: the same text, the same operations, the same faults."""

import json
import tomllib
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support import DOCUMENT

import secval
from secval.config import (
    AnswersConfig,
    ApiConfig,
    AuthConfig,
    ClientConfig,
    Config,
    OperationConfig,
    RateConfig,
    RequestConfig,
)

TOML = """
version = 1
mode = "monitor"
[api]
closed = "requests"
hosts = ["api.test"]
formats = { plate = "^[A-Z]{1,3}$", nonce = "any" }
verify = 1000
[auth]
required = "app"
operations = ["GET /admin"]
[client]
trusted_proxies = ["10.0.0.0/8"]
header = "x-forwarded-for"
allow = ["0.0.0.0/0"]
deny = ["192.0.2.0/24"]
peerless = false
[request]
max_body = "1MiB"
max_target = 2048
max_headers = "8KiB"
json = { max_depth = 8, max_nodes = 100, max_number_chars = 32 }
decoded_target = true
[rate]
shared = false
[rate.all]
quota = "600/minute"
v4 = 24
v6 = 48
[rate.login]
quota = "5/minute; 20/hour"
subject = ["address", "header:x-device"]
operations = ["POST /things", "* /things/**"]
cost = 2
mode = "off"
reason = "not yet"
[operations."GET /old"]
addresses = ["10.1.0.0/16"]
hidden = true
deprecated = 2026-09-01
sunset = 2027-01-01T00:00:00Z
mode = "enforce"
[answers]
server_timing = true
detail = "code"
"""

CONFIG = Config(
    mode="monitor",
    api=ApiConfig(
        closed="requests",
        hosts=["api.test"],
        formats={"plate": "^[A-Z]{1,3}$", "nonce": "any"},
        verify=1000,
    ),
    auth=AuthConfig(required="app", operations=("GET /admin",)),
    client=ClientConfig(
        trusted_proxies=["10.0.0.0/8"],
        header="x-forwarded-for",
        allow=["0.0.0.0/0"],
        deny=["192.0.2.0/24"],
        peerless=False,
    ),
    request=RequestConfig(
        max_body="1MiB",
        max_target=2048,
        max_headers="8KiB",
        json=secval.Limits(max_depth=8, max_nodes=100, max_number_chars=32),
        decoded_target=True,
    ),
    rate={
        "all": RateConfig(quota="600/minute", v4=24, v6=48),
        "login": RateConfig(
            quota="5/minute; 20/hour",
            subject=["address", "header:x-device"],
            operations=["POST /things", "* /things/**"],
            cost=2,
            mode="off",
            reason="not yet",
        ),
    },
    rate_shared=False,
    operations={
        "GET /old": OperationConfig(
            addresses=["10.1.0.0/16"],
            hidden=True,
            deprecated=date(2026, 9, 1),
            sunset=datetime(2027, 1, 1, tzinfo=UTC),
            mode="enforce",
        )
    },
    answers=AnswersConfig(server_timing=True, detail="code"),
)


def test_it_has_the_shape_of_the_file():
    written = tomllib.loads(TOML)
    old = written["operations"]["GET /old"]
    old["deprecated"], old["sunset"] = "2026-09-01", "2027-01-01T00:00:00+00:00"
    assert json.loads(CONFIG.to_json()) == written


def test_what_is_not_said_is_not_there():
    assert json.loads(Config().to_json()) == {"version": 1}
    partly = Config(api=ApiConfig(), rate={"all": RateConfig(quota="1/second")})
    assert json.loads(partly.to_json()) == {"version": 1, "rate": {"all": {"quota": "1/second"}}}
    assert json.loads(Config(rate_shared="auto").to_json())["rate"] == {"shared": "auto"}
    sized = Config(rate_capacity=1_000, rate_overflow=0, rate={"all": RateConfig(quota="1/second")})
    expected = {"capacity": 1_000, "overflow": 0, "all": {"quota": "1/second"}}
    assert json.loads(sized.to_json())["rate"] == expected
    # Nothing is not the same as not said: an empty allow list denies everybody.
    nobody = Config(client=ClientConfig(allow=[]))
    assert json.loads(nobody.to_json())["client"] == {"allow": []}


def test_paths_sets_and_tuples_are_lists_of_text():
    config = Config(client=ClientConfig(deny=(Path("feeds") / "drop.txt", "192.0.2.0/24")))
    assert json.loads(config.to_json())["client"]["deny"] == ["feeds/drop.txt", "192.0.2.0/24"]


def test_both_make_the_same_gate(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    toml = TOML.replace("[api]", '[api]\nopenapi = "openapi.json"')
    (tmp_path / "secval.toml").write_text(toml)
    by_file = secval.Gate.from_file(tmp_path / "secval.toml")
    by_code = secval.Gate.from_openapi(DOCUMENT, config=CONFIG)
    assert by_file.operations() == by_code.operations()
    assert by_file.hosts == by_code.hosts == ["api.test"]
    assert by_code.schemes == ["http", "https"]
    assert by_code.operations()[0]["mode"] == "monitor"


def test_faults_are_those_of_the_file():
    config = Config(
        api=ApiConfig(closed="everything"),
        rate={"all": RateConfig(quota="often")},
        operations={"GET /nowhere": OperationConfig(hidden=True)},
        mode="of",
    )
    with pytest.raises(secval.PolicyError) as caught:
        secval.Gate.from_openapi(DOCUMENT, config=config)
    pointers = {fault.pointer for fault in caught.value.faults}
    assert pointers == {"/api/closed", "/rate/all/quota", "/operations/GET ~1nowhere", "/mode"}
    assert {fault.file for fault in caught.value.faults} == {"config"}


def test_it_is_frozen_and_keyword_only():
    with pytest.raises(FrozenInstanceError):
        CONFIG.mode = "off"
    with pytest.raises(TypeError):
        ApiConfig("requests")
    for table in (
        Config,
        ApiConfig,
        AuthConfig,
        ClientConfig,
        RequestConfig,
        RateConfig,
        OperationConfig,
        AnswersConfig,
    ):
        documented = table.__doc__
        undocumented = [
            field.name for field in fields(table) if f" {field.name}: " not in documented
        ]
        assert table is Config or not undocumented
