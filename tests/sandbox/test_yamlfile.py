"""YAML as scenario files write it: core schema 1.2, bounded, with the place of each value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.yamlfile import marks, parse
from tests.sandbox.loading.records import RECORDS, problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1, 2]\nb: *x", "aliases"),
        ("a: 1\na: 2", "twice"),
        ("a: !!python/object:os.system x", "tags"),
        ("a: [1, 2", "is not YAML"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("[" * 100_000, "nested deeper"),
        ("a: " + "{a: " * 50_000, "nested deeper"),
        ("{a: " * 60 + "1" + "}" * 60, "nested deeper"),
        ("- 1\n" * 150_000, "more than 100,000 values"),
        ("- just a list", "is not a scenario"),
        ("", "is not a scenario"),
        ("? [complex, key]\n: value", "a key must be plain text"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_hostile_yaml_is_refused_at_once(text: str, said: str) -> None:
    started = time.monotonic()
    (found,) = problems(text)
    assert said in found
    assert time.monotonic() - started < 5, "a bomb must be refused, not survived"


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(50_000_000_000)
    with pytest.raises(ScenarioError, match="has 50,000,000,000 bytes, and the limit is 1,000,000"):
        load(huge)


def test_yaml_follows_the_core_schema_of_1_2() -> None:
    text = "on: no\noff: yes\nday: 2026-03-02\ntime: 12:30:00\nint: 0o17\nhex: 0x1F\nf: 1e3\nn: ~\nempty:\nt: true\nq: 'true'\nv: 1.2.3\nu: 1_000"
    assert parse(text) == {
        "on": "no", "off": "yes", "day": "2026-03-02", "time": "12:30:00", "int": 15, "hex": 31, "f": 1000.0,
        "n": None, "empty": None, "t": True, "q": "true", "v": "1.2.3", "u": "1_000",
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_marks_know_where_every_value_stands(data: st.DataObject) -> None:
    text = RECORDS.read_text()
    places = marks(text)
    lines = text.splitlines()
    path = data.draw(st.sampled_from(sorted((one for one in places if "~" in one), key=str)))
    line, column = places[path]
    assert lines[line - 1][column - 1 :].lstrip("'\"").startswith(str(path[-1]))
