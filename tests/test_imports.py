"""Imports point one way, and heavy packages are imported where they belong, late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.cli import COMMANDS

ROOT = Path(__file__).parent.parent
WORDS = [
    "errors",
    "action",
    "modelcall",
    "event",
    "trajectory",
    "taxonomy",
    "scenario",
    "verdict",
    "case",
    "input",
    "episode",
    "run",
    "row",
    "observation",
    "speech",
    "escape",
    "toolspec",
    "facet",
]
CONTRACTS = [
    "table",
    "toolset",
    "participant",
    "evaluator",
    "questions",
    "condition",
    "store",
    "message",
    "declared",
    "model",
    "emulator",
    "seat",
]
RULES = ["state", "turns", "transition"]
LAYERS = dict.fromkeys(WORDS, 0) | dict.fromkeys(CONTRACTS, 1) | dict.fromkeys(RULES, 2)
RIM = 3

ONLY_IN = {
    "ray": {"sandbox/actors.py"},
    "litellm": {"sandbox/llm.py"},
    "redis": {"sandbox/stores/redis.py"},
    "gymnasium": {"sandbox/env.py"},
    "jinja2": {"sandbox/report/html/page.py"},
    "vl_convert": {"sandbox/report/html/plots.py"},
    "textual": {f"sandbox/viewer/{path.name}" for path in (ROOT / "sandbox" / "viewer").glob("*.py")},
    "pyarrow": {"sandbox/export/parquet.py"},
    "inspect_ai": {"sandbox/export/inspect.py"},
}


def modules() -> list[Path]:
    tops = ("sandbox", "agents", "tools", "evaluators")
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def layer(module: str) -> int:
    parts = module.split(".")
    return LAYERS.get(parts[2], RIM) if len(parts) > 2 and parts[1] == "sandbox" else -1


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_a_layer_imports_only_from_its_left(path: Path) -> None:
    own = LAYERS.get(path.stem, RIM) if path.parent == ROOT / "sandbox" else RIM
    top = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        if not name.startswith("riskbox."):
            continue
        if name.count(".") > 2 and not name.startswith(
            (
                "riskbox.sandbox.stores",
                "riskbox.sandbox.export",
                "riskbox.sandbox.report",
                "riskbox.sandbox.viewer",
                "riskbox.sandbox.stub",
                "riskbox.sandbox.cli",
            )
        ):
            name = ".".join(name.split(".")[:3])
        if name == "riskbox.sandbox" or name.count(".") < 2:
            continue
        if top == "sandbox":
            assert name.startswith("riskbox.sandbox."), (
                f"{relative(path)} names {name}; only the registry may, as text"
            )
            assert layer(name) <= own, f"{relative(path)} (layer {own}) imports {name} (layer {layer(name)})"
        elif name.startswith("riskbox.sandbox."):
            assert layer(name) <= 1, (
                f"{relative(path)} imports {name}, which is neither a word nor a contract"
            )
        else:
            assert name.startswith(f"riskbox.{top}."), f"{relative(path)} imports {name}"


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_heavy_packages_stay_where_they_belong(package: str) -> None:
    users = {
        relative(path)
        for path in modules()
        if any(name == package or name.startswith(package + ".") for name in imports(path))
    }
    assert users <= ONLY_IN[package]


def test_the_import_graph_has_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for path in modules():
        name = "riskbox." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        graph[name.removesuffix(".__init__")] = {
            one for one in _top_level(path) if one.startswith("riskbox.")
        }
    seen: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert seen.get(name) != 1, f"cycle: {' -> '.join((*trail, name))}"
        if name in graph and name not in seen:
            seen[name] = 1
            for other in sorted(graph[name] & set(graph)):
                visit(other, (*trail, name))
            seen[name] = 2

    for name in graph:
        visit(name, ())


def _top_level(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom riskbox.sandbox.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "heavy = {'ray', 'litellm', 'redis', 'gymnasium', 'pydantic', 'textual', 'faker', 'jinja2', 'vl_convert', 'numpy', 'rich', 'aiohttp'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
