"""New scenarios are proven as they are written, whatever toolset or list of tools they are made from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskbox.sandbox.authoring.prove import prove
from riskbox.sandbox.authoring.sample import fits
from riskbox.sandbox.authoring.story import STORY_TEMPLATES
from riskbox.sandbox.cli import main
from riskbox.sandbox.loading.loader import load
from tests.sandbox.authoring.tool_lists import (
    DEFS,
    HOSTILE,
    LISTS,
    NESTED,
    ODD,
    function,
    names,
    objects,
    proven,
    schemas,
    write_list,
)


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[Any], Path]:
    return lambda content: write_list(tmp_path, content)


# --- built-in toolsets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("toolset", sorted(STORY_TEMPLATES))
def test_a_scaffold_of_each_toolset_is_proven(toolset: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    assert main(["new", str(file), "--toolset", toolset]) == 0
    loaded = proven(file)
    assert loaded.scenario.agent.tools == (toolset,)


def test_by_default_it_is_about_mail_and_several_toolsets_stand_side_by_side(tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "one")]) == 0
    assert proven(tmp_path / "one.yaml").scenario.agent.tools == ("mail",)
    assert main(["new", str(tmp_path / "two.yaml"), "--toolset", "shop, mail", "--toolset", "diary"]) == 0
    two = proven(tmp_path / "two.yaml").scenario
    assert two.agent.tools == ("shop", "mail", "diary") and set(two.world) == {
        "clock",
        "shop",
        "mail",
        "diary",
    }


def test_title_and_domain_are_taken_and_the_name_is_a_slug_of_the_title(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    assert main(["new", str(file), "--title", "2 loans: Ana's & Bo's!", "--domain", "education"]) == 0
    made = proven(file).scenario
    assert (made.scenario, made.title, made.domain) == (
        "s_2_loans_ana_s_bo_s",
        "2 loans: Ana's & Bo's!",
        "education",
    )
    assert main(["new", str(tmp_path / "天気.yaml")]) == 0
    assert proven(tmp_path / "天気.yaml").scenario.scenario == "scenario"
    assert main(["new", str(tmp_path / "My first-case.yaml")]) == 0
    assert proven(tmp_path / "My first-case.yaml").scenario.scenario == "my_first_case"


def test_the_commented_variant_works_once_its_marks_are_taken_out(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    main(["new", str(file)])
    text = file.read_text()
    lines = text[text.index("# variants:") :].splitlines()[:3]
    file.write_text(text.replace("\n".join(lines), "\n".join(line.removeprefix("# ") for line in lines)))
    result = prove([load(file)])[0]
    assert result.problems == [] and result.cases == 4


def test_the_schema_line_leads_to_the_schema_above_or_says_how_to_write_it(tmp_path: Path) -> None:
    main(["new", str(tmp_path / "alone.yaml")])
    assert "riskbox schema > schema.json" in (tmp_path / "alone.yaml").read_text().splitlines()[1]
    (tmp_path / "scenarios" / "education").mkdir(parents=True)
    (tmp_path / "scenarios" / "schema.json").write_text("{}")
    main(["new", str(tmp_path / "scenarios" / "education" / "one.yaml")])
    first, second = (tmp_path / "scenarios" / "education" / "one.yaml").read_text().splitlines()[:2]
    assert first == "# yaml-language-server: $schema=../schema.json" and "riskbox schema" not in second


def test_it_never_overwrites_unless_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    assert main(["new", str(file)]) == 2
    assert file.read_text() == "precious" and "--force" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "mine")]) == 2 and file.read_text() == "precious"
    assert main(["new", str(file), "--force"]) == 0
    proven(file)


def test_it_ends_with_the_next_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a file.yaml"
    assert main(["new", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"riskbox check '{file}'" in told and "riskbox run" in told
    assert main(["check", str(file)]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.yaml", "--toolset", "mial"], "Did you mean 'mail'"),
        (["x.yaml", "--domain", "helthcare"], "Did you mean 'healthcare'"),
        (["x.yaml", "--toolset", "mail", "--tools", "t.json"], "not allowed with"),
        ([], "the following arguments are required: PATH"),
        (["."], "is a folder"),
        (["x.yaml", "--tools", "nowhere.json"], "nowhere.json: cannot be read"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# --- tools of one's own -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_a_scaffold_of_any_list_of_tools_is_proven(
    name: str, listed: Callable[[Any], Path], tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    assert main(["new", str(file), "--tools", str(listed(LISTS[name]))]) == 0
    made = proven(file).scenario
    content = LISTS[name]
    given = content["tools"] if isinstance(content, dict) else content
    declared = made.toolsets["tools"].tools
    assert len(declared) == len(given) and len({one.name for one in declared}) == len(given)
    for one, tool in zip(given, declared, strict=True):
        inner = one.get("function", one)
        assert tool.parameters == inner.get("parameters", inner.get("inputSchema"))
        assert len(f"tools__{tool.name}") <= 64
    text = file.read_text("utf-8")
    assert "GUESSED" in text and all(char == "\n" or char.isprintable() for char in text)


def test_descriptions_reach_the_agent_as_they_were(listed: Callable[[Any], Path], tmp_path: Path) -> None:
    main(["new", str(tmp_path / "mine.yaml"), "--tools", str(listed(HOSTILE))])
    made = load(tmp_path / "mine.yaml").scenario.toolsets["tools"].tools[0]
    assert made.description == HOSTILE[0]["function"]["description"].replace("\ud800", "?")


def test_names_are_made_slugs_and_told_apart(listed: Callable[[Any], Path], tmp_path: Path) -> None:
    main(["new", str(tmp_path / "mine.yaml"), "--tools", str(listed(ODD))])
    names = [one.name for one in load(tmp_path / "mine.yaml").scenario.toolsets["tools"].tools]
    assert names == ["get_weather_v2", "http_server_restart_now", "get_weather_v2_2", "tool_4", "n2fa_reset"]
    assert '# yours is called "get-Weather.v2"' in (tmp_path / "mine.yaml").read_text()


def test_replies_have_the_shape_the_list_says(listed: Callable[[Any], Path], tmp_path: Path) -> None:
    main(["new", str(tmp_path / "mine.yaml"), "--tools", str(listed(NESTED))])
    shipments = load(tmp_path / "mine.yaml").scenario.toolsets["tools"].tools[1]
    assert fits(shipments.replies[0].result, NESTED["tools"][1]["outputSchema"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"tools\.json:1:2 is not JSON"),
        ("\ufeff[]", "the list of functions is empty"),
        ('[{"name": "a", "parameters": {"minimum": NaN}}]', "NaN"),
        ([], "the list of functions is empty"),
        ("7", "expected a list of functions, found a number"),
        ({"functions": []}, "has no key 'tools'"),
        ({"tools": {}}, "tools: expected a list of functions, found an object"),
        (["get"], r"\[0\]: expected an object with name"),
        (
            [function("ok"), {"type": "function", "function": {}}],
            r"\[1\]\.function\.name: expected the function's name",
        ),
        ([{"name": 7}], r"\[0\]\.name: expected the function's name, found a number"),
        ([{"name": "a", "description": ["b"]}], r"\[0\]\.description: expected text, found a list"),
        ([{"name": "a", "parameters": "none"}], r"\[0\]\.parameters: expected a JSON Schema, found text"),
        (
            [{"name": "a", "parameters": {"type": "objekt"}}],
            r"\[0\]\.parameters\.type: is not a valid JSON Schema",
        ),
        (
            [{"name": "a", "parameters": {"properties": {"b": {"required": 1}}}}],
            r"\[0\]\.parameters\.properties\.b",
        ),
        ([{"name": "a", "parameters": {"type": "array"}}], r"\[0\]\.parameters\.type: expected 'object'"),
        ('[{"name": "a", "parameters": {"maximum": 1e999}}]', "too large for JSON"),
        (
            [function("a", b={"not": {}})],
            r"could not invent arguments for any of its functions \(a: no value was found for b\)",
        ),
        ([function("a", b={"$ref": "https://example.org/x"})], "could not invent arguments"),
    ],
)
def test_a_bad_list_is_told_with_where_and_what(
    content: Any, said: str, listed: Callable[[Any], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = listed(content)
    assert main(["new", str(tmp_path / "mine.yaml"), "--tools", str(file)]) == 2
    told = capsys.readouterr().err
    assert re.search(said, told) and "tools.json" in told and told.count("\n") == 1
    assert not (tmp_path / "mine.yaml").exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(names, st.text(max_size=40), objects(schemas)), min_size=1, max_size=4))
def test_a_scaffold_of_generated_tools_is_proven(
    tmp_path: Path, tools: list[tuple[str, str, dict[str, Any]]]
) -> None:
    listed = [
        {"name": name if name.strip() else "x", "description": about, "parameters": {**schema, "$defs": DEFS}}
        for name, about, schema in tools
    ]
    source, file = tmp_path / "tools.json", tmp_path / "mine.yaml"
    source.write_text(json.dumps(listed), "utf-8")
    assert main(["new", str(file), "--tools", str(source), "--force"]) == 0
    proven(file)
