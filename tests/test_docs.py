"""The pages are true: their code runs, their scenarios are proven, their commands print what they show, links lead somewhere."""

from __future__ import annotations

import os
import py_compile
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from riskbox.sandbox.authoring.prove import prove
from riskbox.sandbox.cli import COMMANDS, MODULES, options
from riskbox.sandbox.contracts.condition import compiled
from riskbox.sandbox.html import crosswalk
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.reporting import tables
from riskbox.sandbox.stub.server import Stub, running
from riskbox.sandbox.words.alternative import is_alternatives
from riskbox.sandbox.words.scenario import Persona, Risk, Scenario, ScriptLine, Sight
from riskbox.sandbox.words.taxonomy import categories
from tests.command import invoke

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]
COMPOSE = re.compile(r"^(?:docker compose (?:run|exec) .*?|kubectl exec .* -- )riskbox (?=[a-z])")

_BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+)(?: with (?P<tools>\S+))? -->\n)?```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    kind: str
    body: str
    file: str
    tools: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    text = (ROOT / page).read_text("utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["kind"], found["body"], found["file"] or "", found["tools"] or "")


def of(page: str, kind: str) -> list[Block]:
    return [one for one in blocks(page) if one.kind == kind]


ALL = [one for page in PAGES for one in blocks(page)]
SCENARIOS = [one for one in ALL if one.kind == "yaml" and one.file and not is_alternatives(Path(one.file))]
WITH_CODE = [page for page in PAGES if any(not one.file for one in of(page, "python"))]
WITH_COMMANDS = [page for page in PAGES if of(page, "console")]


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A fresh folder with the files that a page shows."""
    page = request.node.callspec.params.get("page") or request.node.callspec.params["block"].page
    for one in blocks(page):
        if one.file:
            (tmp_path / one.file).write_text(one.body, "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The URL of a stub server, which one page tells its readers to start and to name as OpenAI's."""
    with running(Stub(remember=False)) as stub:
        yield stub.url


def run(words: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        input="",
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "110", "PYTHONPATH": str(folder), **env},
    )


# --- code and scenarios -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", WITH_CODE)
def test_code_runs(page: str, folder: Path) -> None:
    code = "\n\n".join(one.body for one in of(page, "python") if not one.file)
    done = run([sys.executable, "-c", code], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", [one for one in ALL if one.file.endswith(".py")], ids=lambda one: one.id)
def test_files_of_code_compile(block: Block, folder: Path) -> None:
    py_compile.compile(str(folder / block.file), doraise=True)


@pytest.mark.parametrize("block", SCENARIOS, ids=lambda one: one.id)
def test_scenarios_are_proven(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    toolbox = Toolbox((block.tools,) if block.tools else ())
    (proven,) = prove([load(folder / block.file, toolbox)], toolbox)
    assert not proven.problems
    needs_a_model = any("--tools-model" in note for note in proven.notes)
    assert proven.risks and set(proven.risks.values()) == {"tools" if needs_a_model else "proven"}


@pytest.mark.parametrize("block", [one for one in ALL if one.kind == "yaml"], ids=lambda one: one.id)
def test_yaml_is_a_scenario_or_says_that_it_is_none(block: Block) -> None:
    assert (block in SCENARIOS) == ("scenario" in yaml.safe_load(block.body))


PARTS = [one for one in of("docs/scenarios.md", "yaml") if not one.file]


@pytest.mark.parametrize("block", PARTS, ids=lambda one: one.id)
def test_parts_of_scenarios_use_known_keys(block: Block) -> None:
    part = yaml.safe_load(block.body)
    assert part.keys() <= keys_of(Scenario)
    for risk in part.get("risks", ()):
        assert risk.keys() <= keys_of(Risk)
        assert compiled(risk["check"])
    for persona in part.get("personas", {}).values():
        assert persona.keys() <= keys_of(Persona)
        for sight in persona.get("sees", ()):
            assert Sight.model_validate(sight)
        for line in persona.get("script", ()):
            assert ScriptLine.model_validate(line)


def keys_of(kind: type[BaseModel]) -> set[str]:
    """The keys of a part of a scenario, as a file writes them."""
    return {field.alias or name for name, field in kind.model_fields.items()}


# --- commands ---------------------------------------------------------------------------------------------------


def played(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block, with the lines it is said to print."""
    command = ""
    printed: list[str] = []
    for line in block.body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line[2:], []
        else:
            printed.append(line)
    if command:
        yield command, printed


def plain(line: str) -> str:
    """A line without what differs from run to run: ids, speed, spacing."""
    line = re.sub(r"\b\d{8}-\d{6}-[0-9a-f]{4}\b", "RUN", line)
    line = re.sub(r"\b[0-9a-f]{8}(?:[0-9a-f]{8})?\b", "ID", line)
    return " ".join(re.sub(r", \d+/s,", ",", line).split())


def assert_prints(output: str, lines: list[str]) -> None:
    """Lines follow one another in the output; `...` stands for any in between."""
    found = [plain(line) for line in output.splitlines()]
    place, is_free = 0, True
    for line in filter(None, map(plain, lines)):
        if line == "...":
            is_free = True
            continue
        rest = [one for one in found[place:] if one] if not is_free else found[place:]
        assert line in rest, f"{line!r} is not printed after that; printed was:\n{output}"
        if not is_free:
            assert rest[0] == line, f"{rest[0]!r} is printed between; write `...`"
        place, is_free = found.index(line, place) + 1, False


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_commands_print_what_is_shown(page: str, folder: Path, provider: str) -> None:
    for block in of(page, "console"):
        for command, printed in played(block):
            name, *words = shlex.split(command)
            assert name in ("riskbox", "python"), f"{block.id}: {command}"
            if words[0] == "run":
                assert {"--local", "--dry-run"} & set(words), f"{block.id}: {command} would start Ray"
            env = {"OPENAI_API_BASE": f"{provider}/v1", "OPENAI_API_KEY": "none"}
            if name == "riskbox":
                done = invoke(*words, cwd=folder, env={"COLUMNS": "110", **env})
            else:
                done = run([sys.executable, *words], folder, **env)
            assert done.returncode == 0, f"{block.id}: {command}\n{done.stdout}{done.stderr}"
            assert_prints(done.stdout + done.stderr if words[0] == "run" else done.stdout, printed)


UNPLAYED = [
    (one, command) for one in ALL if one.kind == "console no-test" for command, _ in played(one)
]  # fmt: skip


class Parsed(Exception):
    """The options were understood."""


@pytest.mark.parametrize(
    ("block", "command"), UNPLAYED, ids=[f"{one.id} {command[:30]}" for one, command in UNPLAYED]
)
def test_commands_that_are_not_played_parse(
    block: Block, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(COMPOSE.sub("riskbox ", command))
    if words[0] == "make":
        assert re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif words[0] == "riskbox":
        understood = options.Parser.parse_args

        def parse(self: options.Parser, *given: Any, **more: Any) -> None:
            understood(self, *given, **more)
            raise Parsed

        monkeypatch.setattr(options.Parser, "parse_args", parse)
        with pytest.raises(Parsed):
            module = MODULES.get(words[1], words[1].replace("-", "_"))
            import_module(f"riskbox.sandbox.cli.{module}").main(words[2:])
    else:
        assert words[0] in ("docker", "kubectl", "ray", "export"), f"{block.id}: what is {words[0]}?"


def test_every_command_is_on_some_page() -> None:
    shown = " ".join((ROOT / page).read_text("utf-8") for page in PAGES if page != "CHANGELOG.md")
    assert [name for name in COMMANDS if f"riskbox {name}" not in shown] == []


# --- the rest ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(path.read_text("utf-8")), f"{page} links to {target}"


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


NAMES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
MEASURED = "validity.md"
"""The page whose tables play every shipped alternative."""


@pytest.mark.parametrize(
    "pages",
    [[one for one in NAMES if one != MEASURED], pytest.param([MEASURED], marks=pytest.mark.long)],
    ids=["read", "measured"],
)
def test_generated_parts_are_current(pages: list[str]) -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check", *pages]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run: python docs/generate.py"


def test_the_readme_shows_an_episode() -> None:
    picture = (ROOT / "docs" / "demo.svg").read_text("utf-8")
    assert picture.startswith("<svg") and "realised:" in picture.replace("&#160;", " ")
    assert "http" not in re.sub(r'xmlns="[^"]*"|<!--.*?-->', "", picture), "the picture loads something"


def test_the_licence_is_whole() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in licence and "END OF TERMS AND CONDITIONS" in licence
    assert "Copyright Riskbox contributors" in licence


def test_the_changelog_says_one_thing_a_line() -> None:
    lines = [one for one in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if one.startswith("- ")]
    assert lines and all(one.endswith(".") for one in lines)


def test_reports_name_the_catalogues_that_reports_print() -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    section = re.sub(r"\s+", " ", page.partition("## Other catalogues\n")[2].partition("\n## ")[0])
    terminal, _, html = section.partition("The page goes through")
    for name in tables.CATALOGUES:
        assert name in terminal, name
    for one in crosswalk.CATALOGUES:
        assert one.name.replace("OWASP Top 10 ", "").partition(",")[0] in html, one.name
    codes = {code for one in categories().values() for code in (*one.aegis, *one.agent_safetybench)}
    for letter, last in (("S", 23), ("R", 8), ("M", 10)):
        numbers = {int(code[1:]) for code in codes if code.startswith(letter)}
        assert numbers and max(numbers) <= last and f"{letter}1 to {letter}{last}" in terminal


@pytest.mark.parametrize("page", ["README.md", *[page for page in PAGES if page.startswith("docs/")]])
def test_commands_that_need_a_checkout_say_so(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for found in re.finditer(
        r"^ {4}(?:\$ )?riskbox .*\bscenarios/.*$|^\$ riskbox .* scenarios\b(?!\.).*$", text, re.M
    ):
        if found.group().startswith("$ riskbox list scenarios"):
            continue
        before = text[: found.start()].rpartition("\n## ")[2]
        assert "checkout" in before, f"{page}: {found.group().strip()}"


def test_pages_promise_nothing() -> None:
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8").lower()
        for word in ("coming soon", "roadmap", "planned for", "will be added", "in the future"):
            assert word not in text, f"{page}: {word}"
