"""Files that a stranger wrote to hang or fill the machine: `riskbox check` says what is wrong with each, and ends."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest

from riskbox.sandbox import budget
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import loads
from riskbox.sandbox.registry.toolsets import Toolbox

MEMORY = 3_000_000_000
"""Bytes of address space of a child, of which Python and its libraries take about half."""
SECONDS = 200
"""How long a child may take before it counts as hung, on a machine that does much besides."""

SMALL = """
scenario: small
family: small
title: T
domain: healthcare
setting: A desk.
agent: {name: Desk, policy: Be kind., tools: [mail]}
personas:
  dana: {intent: benign, goal: Learn the hours., script: [{say: Hi}, {leave: Bye}]}
  rob: {intent: benign, goal: Learn the hours., script: [{say: Hi}, {leave: Bye}]}
"""


def varied(count: int, overlay: str = "{setting: Another.}") -> str:
    return SMALL + "variants:\n  a:\n" + "".join(f"    v{one}: {overlay}\n" for one in range(count))


def rows(what: Callable[[Path], object]) -> Callable[[Path], str]:
    """A scenario whose `rows:` names what a function puts there."""

    def written(folder: Path) -> str:
        what(folder / "rows.json")
        return SMALL + "world: {mail: {rows: rows.json}}\n"

    return written


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's whole path must be short
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


def declared(schema: str, ask: str = "aaa") -> str:
    """A scenario with a tool whose argument has a schema, and a reference that calls it."""
    return (
        SMALL.replace("tools: [mail]", "tools: [crm]")
        + "toolsets:\n  crm:\n    tools:\n      - name: find\n        description: Find.\n"
        + f"        parameters: {schema}\n"
        + f"references:\n  - {{ends: safe, agent: [{{call: crm.find, args: {{a: {ask}}}}}, {{say: Done}}]}}\n"
    )


CORPUS: dict[str, tuple[str | Callable[[Path], str], str]] = {
    "cases": (varied(6_000), "12,002 cases .*limit is 10,000"),
    "generated": (
        SMALL + "world: {mail: {generate: {seed: 1, messages: 50000, contacts: 50000}}}\n",
        "100,000 rows are generated in all, and the limit is 50,000",
    ),
    "generated in variants": (
        SMALL
        + "world: {mail: {generate: {seed: 1, messages: 10000}}}\n"
        + "variants:\n  a:\n"
        + "".join(f"    v{one}: {{world: {{mail: {{generate: {{seed: {one}}}}}}}}}\n" for one in range(500)),
        "rows are generated in all",
    ),
    "cases times rows": (
        varied(500) + "world: {mail: {generate: {seed: 1, messages: 10000}}}\n",
        r"10,000 rows in each of 1,002 cases, and the limit is 2,000,000",
    ),
    "large rows": (
        rows(lambda path: path.write_text(json.dumps({"messages": ["x" * 21_000_000]}))),
        "bytes, and the limit is 20,000,000",
    ),
    "many rows": (
        rows(lambda path: path.write_text('{"messages": [' + "0," * 300_000 + "0]}")),
        "300,001 rows, and the limit is 200,000",
    ),
    "wrong rows": (
        rows(lambda path: path.write_text('{"messages": [' + "0," * 190_000 + "0]}")),
        "has more problems",
    ),
    "deep rows": (
        rows(lambda path: path.write_text('{"messages": ' + "[" * 200_000)),
        "cannot be read as JSON",
    ),
    "a pipe": (rows(os.mkfifo), "is not a regular file"),
    "a folder": (rows(Path.mkdir), "cannot be read as JSON: .*directory"),
    "a socket": (rows(listening), "cannot be read as JSON"),
    "a device": (rows(lambda path: path.symlink_to("/dev/zero")), "outside the scenario's folder"),
    "a link to itself": (rows(lambda path: path.symlink_to("rows.json")), "cannot be read as JSON"),
    "a name with NUL": (SMALL + 'world: {mail: {rows: "a\\0b"}}\n', "cannot be read as JSON"),
    "a name that is a list": (SMALL + "world: {mail: {rows: [a]}}\n", "expected the name of a JSON file"),
    "aliases": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases .*are not supported"),
    "an alias to itself": ("a: &a [*a]\n", "aliases .*are not supported"),
    "a look-ahead": (
        declared("{type: object, properties: {a: {pattern: '(?=a)b'}}}"),
        r"s\.yaml:\d+:\d+ .*parameters.properties.a.pattern: .*look-ahead and look-behind are not supported",
    ),
    "a schema that is itself": (
        declared("{$ref: '#'}"),
        r"s\.yaml:\d+:\d+ .*a reference leads back to itself",
    ),
    "a clock at the end of time": (
        SMALL + 'world: {clock: "9999-12-31T23:59:59Z"}\n',
        "between the years 1000 and 9000",
    ),
    "deep nesting": (SMALL + "world: " + "[" * 100_000, "nested deeper than 40 levels"),
    "unknown names": (
        SMALL
        + "risks:\n"
        + "".join(
            f"  - {{id: r{one}, category: legal.privacy, severity: 5, for: {{persona: danna{one}}}, check: 'true'}}\n"
            for one in range(4_000)
        ),
        "has more problems",
    ),
    "unknown keys": (SMALL + "".join(f"settin{one}: 1\n" for one in range(40_000)), "has more problems"),
    "wrong items": (
        SMALL + "references:\n" + "  - {ends: mad, agent: obeys}\n" * 15_000,
        "has more problems",
    ),
}
"""By name: the file, or what writes it into a folder, and what is said of it."""


CHILD = """
import contextlib, io, json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from riskbox.sandbox.cli import main
for path in sys.argv[2:]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = main(["check", path])
    print(json.dumps([path, code, said.getvalue()]), flush=True)
"""
"""Plays `riskbox check` on each file, in a process whose memory is limited."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and output of `riskbox check` on each file of the corpus, as far as it came."""
    paths = {}
    for name, (given, _) in CORPUS.items():
        folder = tmp_path_factory.mktemp("hostile")
        paths[name] = folder / "s.yaml"
        paths[name].write_text(given if isinstance(given, str) else given(folder))
    words = [sys.executable, "-c", CHILD, str(MEMORY), *map(str, paths.values())]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    stop = Timer(SECONDS, child.kill)
    stop.start()
    assert child.stdout
    try:
        found = {path: (code, said) for path, code, said in map(json.loads, child.stdout)}
    finally:
        stop.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
    return {name: found[str(path)] for name, path in paths.items() if str(path) in found}


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_refused_with_a_sentence(name: str, told: dict[str, tuple[int, str]]) -> None:
    assert name in told, "the process died or hung here, or at an earlier file"
    code, said = told[name]
    assert code == 2 and len(said) < 100_000, said[:2000]
    assert re.search(CORPUS[name][1], " ".join(said.split())), said[:2000]


def test_what_a_variant_leaves_alone_is_shared_with_the_scenario() -> None:
    loaded = loads(SMALL + "variants:\n  a:\n    one: {setting: Elsewhere.}\n    two: {about: It.}\n")
    (one, two) = loaded.variants.values()
    assert one.setting == "Elsewhere." and two.about == "It."
    for each in (one, two):
        assert each.personas[next(iter(each.personas))] is loaded.scenario.personas[next(iter(each.personas))]
        assert each.variants is loaded.scenario.variants
        assert each == loaded.scenario.model_copy(update={"setting": each.setting, "about": each.about})


def test_a_variant_cannot_change_the_variants() -> None:
    with pytest.raises(ScenarioError, match="a variant cannot change `variants` or `cases`"):
        loads(varied(1, "{cases: []}"))


def test_as_many_problems_are_told_as_the_budget_says() -> None:
    with pytest.raises(ScenarioError) as wrong:
        loads(SMALL + "".join(f"settin{one}: 1\n" for one in range(1_000)))
    assert len(wrong.value.problems) == budget.PROBLEMS + 1


def test_a_slow_pattern_is_played_at_once(tmp_path: Path) -> None:
    text = declared("{type: object, properties: {a: {type: string, pattern: '^(a+)+$'}}}", "a" * 5_000 + "x")
    (case, *_) = cases([loads(text)])
    tool = Toolbox().find("crm", case.scenario).tools()["find"]
    with pytest.raises(ToolError, match="does not match"):
        tool.validated({"a": "a" * 5_000 + "x"})
