"""Lists of tools as agents bring them, schemas drawn at random, and what holds of a scenario made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from riskbox.sandbox.authoring.prove import prove
from riskbox.sandbox.loading.loader import Loaded, load


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
NESTED["tools"][0]["function"]["parameters"]["$defs"] = {
    "point": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "minItems": 2}
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


LISTS = {"odd": ODD, "nested": NESTED, "reading": READING, "many": MANY, "hostile": HOSTILE}


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


def write_list(folder: Path, content: Any) -> Path:
    """A file `tools.json` with this list, or with this text."""
    file = folder / "tools.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file
