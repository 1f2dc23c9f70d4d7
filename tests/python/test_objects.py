"""The objects that secval makes are ordinary, independent, and what `json.loads` makes, whatever was read before.

They are made in three ways: of a text that was read (`secval.loads`), or while a text is judged, of names that a schema declares
and of others.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import sys
import threading
import tracemalloc

import pytest
from conftest import need
from hypothesis import given, settings
from hypothesis import strategies as st

import secval
from secval import _core


def test_objects_are_made_in_the_way_that_was_asked_for():
    """So that nobody tests one way and takes it for another: `make test-builders` asks for each."""
    tested = sys.implementation.name == "cpython" and (3, 11) <= sys.version_info < (3, 14)
    if "SECVAL_PORTABLE" in os.environ or not tested:
        asked = "portable"
    else:
        asked = "insertion" if os.environ.get("SECVAL_TEMPLATES") == "0" else "templates"
    assert asked == _core.BUILDER


def alike(left, right):
    """Equal, of the same types, in the same order, and watched by the collector alike."""
    pile = [(left, right)]
    while pile:
        a, b = pile.pop()
        assert type(a) is type(b)
        assert gc.is_tracked(a) == gc.is_tracked(b)
        if isinstance(a, dict):
            assert list(a) == list(b)
            pile.extend((a[key], b[key]) for key in a)
            assert all(type(key) is str for key in a)
        elif isinstance(a, list):
            assert len(a) == len(b)
            pile.extend(zip(a, b, strict=True))
        else:
            assert a == b


NAMES = st.sampled_from(["", "a", "id", "name", "é", "名", "😀", "n" * 70, *map(str, range(9))])
DECLARED = ["", "a", "id", "name", "é", "名", "😀", "n" * 70, "one", "two", "three", "four"]
DECLARED += [*map(str, range(9)), "b", "c", "d", "x", "k0", "l0", *(f"n{n}" for n in range(130))]
READERS = {
    "loads": secval.loads,
    "undeclared": secval.Schema(True).loads,
    "declared": secval.Schema(
        {
            "properties": {name: {"$ref": "#"} for name in DECLARED},
            "additionalProperties": {"$ref": "#"},
            "items": {"$ref": "#"},
        }
    ).loads,
}
each_way = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**60), 10**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=7)
)


@each_way
@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans())
def test_any_value_comes_out_as_from_the_standard_library(read, value, escaped):
    text = json.dumps(value, ensure_ascii=escaped).encode("utf-8")
    # Three times: a shape is remembered at the second, and copied at the third.
    for _ in range(3):
        alike(read(text), json.loads(text))


@each_way
def test_real_payloads_read_in_any_order(read):
    folder = need("github-webhooks")
    texts = [p.read_bytes() for p in folder.glob("*.json") if ".schema." not in p.name]
    choice = random.Random(5)
    for _ in range(4):
        choice.shuffle(texts)
        for text in texts:
            alike(read(text), json.loads(text))


@each_way
def test_objects_of_one_shape_share_nothing_that_can_change(read):
    text = b'{"one": 1, "two": [2], "three": {"four": 4}}'
    made = [read(text) for _ in range(5)]
    for index, document in enumerate(made):
        document["one"] = index
        document["five"] = index
        del document["two"]
        document["three"]["four"] = index
    for index, document in enumerate(made):
        assert document == {"one": index, "three": {"four": index}, "five": index}
    assert read(text) == {"one": 1, "two": [2], "three": {"four": 4}}


@each_way
def test_the_same_names_in_another_order_are_another_shape(read):
    for _ in range(4):
        assert list(read(b'{"a": 1, "b": 2, "c": 3}')) == ["a", "b", "c"]
        assert list(read(b'{"c": 1, "a": 2, "b": 3}')) == ["c", "a", "b"]


@each_way
def test_a_shape_that_repeats_a_name_is_never_remembered(read):
    for _ in range(5):
        for text in (b'{"a": 1, "b": 2, "a": 3}', b'{"a": 1, "\\u0061": 2}', b'[{"b": 1, "b": 1}]'):
            with pytest.raises(secval.JSONError) as caught:
                read(text)
            assert caught.value.code == "json.duplicate_key"


@each_way
def test_objects_of_every_size(read):
    for count in [*range(70), 127, 128, 129, 300, 5000]:
        text = json.dumps({f"n{index}": [index] for index in range(count)}).encode()
        for _ in range(3):
            alike(read(text), json.loads(text))


@pytest.mark.skipif(_core.BUILDER != "templates", reason="no shape is remembered")
@each_way
def test_an_object_of_a_known_shape_is_as_small_as_one_filled_by_hand(read):
    # One that is made at its final size, without a template, has room for keys of any type: it is larger.
    as_small = 0
    for again in range(20):
        text = json.dumps({f"known {again} {n}": n for n in range(6)}).encode()
        for _ in range(2):
            read(text)
        by_hand = {}
        for name, value in json.loads(text).items():
            by_hand[name] = value
        as_small += sys.getsizeof(read(text)) == sys.getsizeof(by_hand)
    # Names, and so shapes, may push each other out.
    assert as_small >= 10


@each_way
def test_memory_stays_where_it_is(read):
    texts = [
        json.dumps({f"k{a}": {"x": [1, 2.5, "ö", None, True, 10**30]}, f"l{b}": "y" * a}).encode()
        for a in range(40)
        for b in range(5)
    ]
    broken = [text[:-1] + b',"k0":1,"k0":2}' for text in texts]

    def work(times):
        for _ in range(times):
            for text in texts:
                read(text)
            for text in broken:
                with contextlib.suppress(secval.JSONError):
                    read(text)

    # Traced from the beginning: what is remembered of shapes is made anew at times, and its memory is known then.
    tracemalloc.start()
    work(20)
    gc.collect()
    none = sys.getrefcount(None)
    before = tracemalloc.get_traced_memory()[0]
    work(50)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # A byte, or a reference, for each of 20,000 calls would be seen; shapes hold some of both.
    assert grown < 20_000
    assert abs(sys.getrefcount(None) - none) < 2_000


@each_way
def test_members_in_ever_new_orders_do_not_make_memory_grow(read):
    names = [f"member {index}" for index in range(12)]
    choice = random.Random(3)

    def work(times):
        for _ in range(times):
            choice.shuffle(names)
            read(json.dumps(dict.fromkeys(names, 1)).encode())

    work(30_000)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(10_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # Templates of other shapes take the places of those before.
    assert grown < 2_000_000


@each_way
def test_many_threads_read_at_once(read):
    folder = need("github-webhooks")
    texts = [p.read_bytes() for p in sorted(folder.glob("*.json"))[:30]]
    expected = [json.loads(text) for text in texts]
    faults = []

    def work(seed):
        choice = random.Random(seed)
        for _ in range(300):
            index = choice.randrange(len(texts))
            if read(texts[index]) != expected[index]:
                faults.append(index)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@each_way
def test_a_collection_in_the_middle_sees_nothing_half_made(read):
    thresholds = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        text = json.dumps([{"a": [{}], "b": {"c": [[]]}, "d": [n]} for n in range(200)]).encode()
        for _ in range(5):
            alike(read(text), json.loads(text))
    finally:
        gc.set_threshold(*thresholds)


@each_way
@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_after_a_large_text(read, on):
    items = [{"a": [n], "b": 1.5} for n in range(5_000)]
    text = json.dumps(items).encode()
    twice = text[:-1] + b',{"c":1,"c":2}]'
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        assert read(text) == items
        with pytest.raises(secval.JSONError):
            read(twice)
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()


@each_way
def test_what_a_large_text_made_is_collected_like_anything_else(read):
    made = read(json.dumps([{"self": []} for _ in range(5_000)]).encode())
    made[0]["self"].append(made)
    before = len(gc.get_objects())
    del made
    gc.collect()
    assert len(gc.get_objects()) < before - 9_000


@each_way
def test_a_finalizer_may_read_while_objects_are_made(read):
    text = json.dumps([{"a": [n], "b": {"c": [str(n)]}} for n in range(50)]).encode()
    made = []

    class Reading:
        def __init__(self):
            self.itself = self

        def __del__(self):
            made.append(read(text))

    thresholds = gc.get_threshold()
    gc.set_threshold(5, 1, 1)
    try:
        for _ in range(30):
            Reading()
            alike(read(text), json.loads(text))
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    assert len(made) == 30
    for document in made:
        alike(document, json.loads(text))


@each_way
def test_names_that_are_ever_new_do_not_make_memory_grow(read):
    def work(rounds):
        for n in rounds:
            read(b'{"new %d": [{"as %d": "new"}], "a": 1}' % (n, n))

    work(range(20_000))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(range(20_000, 40_000))
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # Names, and templates, take the places of those before.
    assert grown < 1_000_000


def test_names_that_no_schema_declares_among_long_values():
    # So few of them for their text that it is made while it is judged.
    schema = secval.Schema({"properties": {"a": {"properties": {"b": True}}}})
    choice = random.Random(7)
    names = ["a", "b", "c", "é", "n" * 65, *(f"name {n}" for n in range(9))]
    for _ in range(300):
        inner = dict.fromkeys(choice.sample(names, choice.randrange(9)), "y" * 200)
        value = dict.fromkeys(choice.sample(names, choice.randrange(9)), "ü" * 150)
        if choice.random() < 0.7:
            value["a"] = inner
        for _ in range(3):
            text = json.dumps(value, ensure_ascii=False).encode()
            alike(schema.loads(text), json.loads(text))
        twice = text[:-1] + (b"," if value else b"") + b'"x":1,"x":2}'
        with pytest.raises(secval.JSONError) as caught:
            schema.loads(twice)
        assert caught.value.code == "json.duplicate_key"


def test_all_ways_to_call_are_one():
    schema = secval.Schema({"properties": {"a": {"type": "integer"}}})

    class Bytes(bytes):
        pass

    good, bad, broken = b'{"a": 1}', b'{"a": "1"}', b'{"a": 1'
    for kind in (bytes, Bytes, bytearray, memoryview, lambda text: text.decode()):
        assert schema.loads(kind(good)) == schema.loads(text=kind(good)) == {"a": 1}
        for _ in range(2):
            with pytest.raises(secval.ValidationError) as caught:
                schema.loads(kind(bad))
            assert [v.pointer for v in caught.value.violations] == ["/a"]
            with pytest.raises(secval.JSONError) as caught:
                schema.loads(kind(broken))
            assert (caught.value.code, caught.value.offset) == ("json.truncated", len(broken))
        if kind(good) != good.decode():
            assert schema.is_valid(kind(good)) is schema.is_valid(data=kind(good)) is True
            assert schema.is_valid(kind(bad)) is schema.is_valid(kind(broken)) is False
    for call in (schema.loads, schema.is_valid):
        for arguments, named in (
            ((), {}),
            ((good, good), {}),
            ((good,), {"text": good}),
            ((), {"of": good}),
        ):
            with pytest.raises(TypeError):
                call(*arguments, **named)


def test_a_text_at_the_size_from_which_others_may_run_meanwhile():
    read = READERS["declared"]
    for size in (32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1):
        text = json.dumps({"a": [{"b": "c"}], "x": ""}).encode()
        text = text.replace(b'""', b'"' + b"y" * (size - len(text)) + b'"')
        assert len(text) == size
        for _ in range(3):
            alike(read(text), json.loads(text))
        with pytest.raises(secval.JSONError):
            read(text[:-1])
