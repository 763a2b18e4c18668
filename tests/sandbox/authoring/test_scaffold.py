"""A new scenario file is valid YAML that says what its template says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.authoring.scaffold import entry, quoted, scaffold, scalar, story_template
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.yamlfile import parse


@given(st.text(max_size=60))
def test_any_text_is_written_so_that_it_reads_back_the_same(text: str) -> None:
    for written in (quoted(text), scalar(text)):
        assert parse(f"[{written}]") == [text] and "\n" not in written


def test_values_are_split_over_lines_only_where_one_is_too_long() -> None:
    assert list(entry("args:", {"to": "a@b.c", "on": True}, "  ")) == ['  args: {to: a@b.c, "on": true}']
    long = {"first": "word " * 15 + "end", "second": "word " * 15 + "end"}
    lines = list(entry("-", long, "  "))
    assert [line[:11] for line in lines] == ["  - first: ", "    second:"]
    assert parse("\n".join(lines)) == [long]


def test_several_toolsets_are_offered_beside_the_storys(tmp_path: Path) -> None:
    story = story_template(["shop", "mail", "shop"])
    assert (story.toolset, story.tools) == ("shop", ("shop", "mail"))
    made = parse(scaffold(tmp_path / "x.yaml", story, title="A  long\nwait"))
    assert made["title"] == "A long wait" and set(made["world"]) == {"clock", "shop", "mail"}
    with pytest.raises(UnknownName, match="Did you mean 'mail'"):
        story_template(["mial"])
    with pytest.raises(InputError, match="unknown domain"):
        scaffold(tmp_path / "x.yaml", story, domain="helth")
