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
from jsonschema import Draft202012Validator

from riskbox.sandbox.authoring.prove import prove
from riskbox.sandbox.authoring.sample import NoSample, fits, sample
from riskbox.sandbox.authoring.scaffold import quoted, scalar
from riskbox.sandbox.authoring.story import PLOTS
from riskbox.sandbox.authoring.tool_list import read_offer
from riskbox.sandbox.cli import main
from riskbox.sandbox.loading.loader import Loaded, load
from riskbox.sandbox.registry.toolsets import TOOLSETS
from riskbox.sandbox.yamlfile import parse


def proven(path: Path) -> Loaded:
    loaded = load(path)
    result = prove([loaded])[0]
    assert [str(one) for one in result.problems] == []
    assert result.cases == 2 and set(result.risks.values()) == set(result.goals.values()) == {"proven"}
    return loaded


def function(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    required = [key for key, schema in properties.items() if not schema.pop("optional", False)]
    parameters = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


TEXT: dict[str, Any] = {"type": "string"}
ODD = [
    function("get-Weather.v2", "Weather in a city.", city=dict(TEXT), units={"enum": ["C", "F"]}),
    function("HTTPServer.restartNow", "Restarts it.", host={"type": "string", "format": "hostname"}),
    function("getWeather_v2", "Again.", city=dict(TEXT)),
    function("天気", "No Latin letter."),
    function("2fa_reset", "Resets two factors.", user_id={"type": "string", "pattern": "^usr_[0-9]{6}$"}),
]
NESTED = {
    "tools": [
        function(
            "createShipment",
            "Create a shipment.",
            address={
                "type": "object",
                "properties": {
                    "street": dict(TEXT),
                    "zip": {"type": "string", "pattern": r"^\d{5}(-\d{4})?$"},
                    "geo": {"$ref": "#/$defs/point"},
                },
                "required": ["street", "zip"],
            },
            items={
                "type": "array",
                "minItems": 2,
                "uniqueItems": True,
                "items": {
                    "type": "object",
                    "properties": {
                        "sku": dict(TEXT),
                        "count": {"type": "integer", "minimum": 1, "maximum": 9},
                    },
                    "required": ["sku", "count"],
                },
            },
            priority={"type": "string", "enum": ["low", "high"]},
            when={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        ),
        {
            "name": "list_shipments",
            "description": "List them.",
            "inputSchema": {"type": "object", "properties": {"since": {"type": "string", "format": "date"}}},
            "outputSchema": {
                "type": "array",
                "items": {"type": "object", "properties": {"id": TEXT}, "required": ["id"]},
            },
        },
    ]
}
READING = [function("search_docs", "Search.", query=dict(TEXT)), function("now", "The time.")]
MANY = [
    function(
        f"{verb}_{noun}",
        f"{verb} a {noun}.",
        **{f"{noun}_id": dict(TEXT), "amount": {"type": "number", "optional": True}},
    )
    for noun in ("invoice", "ticket", "refund", "user", "project", "secret")
    for verb in (
        "get",
        "list",
        "search",
        "create",
        "update",
        "delete",
        "send",
        "archive",
        "export",
        "approve",
    )
]
HOSTILE = [
    function(
        "send",
        "Sends: \"it\" # no comment\n- {a: [b\n---\n%TAG ! x\n\x1b[2J\x00\x85\u2028\u202e'{{braces}}' *alias &anchor !tag \ud800 😀",
        **{
            "a: b": dict(TEXT),
            "quo'te\\": {"enum": ["it's", "\x1b]0;x\x07", "on: off"]},
            "to": {"type": "string", "format": "email", "description": "# {not} a\ncomment: |"},
        },
    ),
    function("no", "null", yes={"type": "boolean"}, null={"const": None}),
]
NESTED["tools"][0]["function"]["parameters"]["$defs"] = {
    "point": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "minItems": 2}
}
LISTS = {"odd": ODD, "nested": NESTED, "reading": READING, "many": MANY, "hostile": HOSTILE}


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        file = tmp_path / "tools.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return file

    return write


# --- built-in toolsets ------------------------------------------------------------------------------------------


def test_every_built_in_toolset_has_a_story() -> None:
    assert set(PLOTS) == set(TOOLSETS)


@pytest.mark.parametrize("toolset", sorted(PLOTS))
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


def test_verbs_say_which_tools_write(listed: Callable[[Any], Path]) -> None:
    guessed = {one.name: (one.writes, one.destroys) for one in read_offer(listed(MANY)).tools}
    assert guessed["get_invoice"] == guessed["search_refund"] == (False, False)
    assert guessed["update_user"] == (True, False) and guessed["delete_user"] == (True, True)
    by_description = read_offer(
        listed([function("mailer", "Sends an email."), function("clock", "Tells the time.")])
    )
    assert [one.writes for one in by_description.tools] == [True, False]


def test_the_risk_is_a_writing_tool_where_there_is_one(listed: Callable[[Any], Path]) -> None:
    assert read_offer(listed(MANY)).plot.harm.tool == "tools.delete_invoice"
    assert read_offer(listed(MANY)).plot.wanted.tool == "tools.get_invoice"
    reading = read_offer(listed(READING)).plot
    assert reading.only_stranger and reading.category == "legal.privacy"
    alone = read_offer(listed([function("wipe")])).plot
    assert alone.wanted.tool == alone.harm.tool == "tools.wipe" and alone.only_stranger
    told_apart = read_offer(listed([function("send_mail", to=dict(TEXT))])).plot
    assert not told_apart.only_stranger and told_apart.wanted.check != told_apart.harm.check


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
        ([{"name": "a", "parameters": {"type": "objekt"}}], r"\[0\]\.parameters\.type: is not JSON Schema"),
        (
            [{"name": "a", "parameters": {"properties": {"b": {"required": 1}}}}],
            r"\[0\]\.parameters\.properties\.b",
        ),
        ([{"name": "a", "parameters": {"type": "array"}}], r"\[0\]\.parameters\.type: expected 'object'"),
        ('[{"name": "a", "parameters": {"maximum": 1e999}}]', "too large for JSON"),
        ([function("a", b={"not": {}})], r"no arguments could be made up for any of its functions \(a\)"),
        ([function("a", b={"$ref": "https://example.org/x"})], "no arguments could be made up"),
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


# --- samples and YAML -------------------------------------------------------------------------------------------


names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12)
leaves = st.one_of(
    st.builds(lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b}, st.integers(0, 40), st.integers(0, 9)),
    st.builds(
        lambda kind, a, b: {"type": kind, "minimum": a, "exclusiveMaximum": a + b},
        st.sampled_from(["integer", "number"]), st.integers(-(10**6), 10**6), st.integers(2, 50),
    ),
    st.builds(lambda a: {"type": "integer", "multipleOf": a}, st.integers(1, 90)),
    st.sampled_from(["date", "date-time", "email", "uuid", "ipv4", "uri", "time"]).map(lambda f: {"type": "string", "format": f}),
    st.sampled_from([r"^[A-Z]{2}-\d{4}$", "^(cat|dog)s?$", r"^[^a-z]+\.x$", "a|b", r"^\w{3,}\s\S$"]).map(lambda p: {"type": "string", "pattern": p}),
    st.lists(st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none()), min_size=1, max_size=4).map(lambda e: {"enum": e}),
    st.sampled_from([{}, {"type": ["null", "boolean"]}, {"const": {"a": [1]}}, {"$ref": "#/$defs/id"}]),
)  # fmt: skip


def objects(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def make(properties: dict[str, Any], required: bool, closed: bool) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "object", "properties": properties}
        return (
            made
            | ({"required": list(properties)} if required else {})
            | ({"additionalProperties": False} if closed else {})
        )

    return st.builds(make, st.dictionaries(names, inside, max_size=4), st.booleans(), st.booleans())


schemas = st.recursive(
    leaves,
    lambda inside: st.one_of(
        objects(inside),
        st.builds(lambda of, n: {"type": "array", "items": of, "minItems": n}, inside, st.integers(0, 3)),
        st.lists(inside, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
    ),
    max_leaves=6,
)
DEFS = {"id": {"type": "string", "pattern": "^[a-f0-9]{8}$"}}


@settings(max_examples=150, deadline=None)
@given(schemas, st.sampled_from([0, 1]))
def test_a_sample_fits_its_schema(schema: dict[str, Any], which: int) -> None:
    whole = {**schema, "$defs": DEFS}
    value = sample(whole, which)
    Draft202012Validator(whole).validate(value)
    assert json.loads(json.dumps(value)) == value


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


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 3, "additionalProperties": False},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
)  # fmt: skip
def test_what_nothing_fits_is_said_at_once(schema: dict[str, Any]) -> None:
    with pytest.raises(NoSample):
        sample(schema)


def test_the_two_samples_of_a_schema_differ_where_they_may() -> None:
    for schema in (
        {"type": "string"},
        {"type": "integer"},
        {"enum": ["a", "b"]},
        {"type": "string", "format": "email"},
    ):
        assert sample(schema, 0) != sample(schema, 1)


@given(st.text(max_size=60))
def test_any_text_is_written_so_that_it_reads_back_the_same(text: str) -> None:
    for written in (quoted(text), scalar(text)):
        assert parse(f"[{written}]") == [text] and "\n" not in written
