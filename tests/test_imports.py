"""Imports point one way, and heavy packages are imported where they belong, late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from riskbox.sandbox.cli import COMMANDS

ROOT = Path(__file__).parent.parent
FLOORS = (
    "words",
    "contracts",
    "processes",
    "rules",
    "stores",
    "models",
    "registry",
    "loading",
    "episode",
    "stats",
    "reporting",
    "people",
    "gates",
    "export",
    "batch",
    "operations",
    "html",
    "viewer",
    "authoring",
    "selftest",
    "gym",
    "stub",
    "local",
    "testing",
    "api",
    "cli",
)
"""The folders of `sandbox/`, the lowest first: each imports the folders before it and nothing after."""

OPEN = ("words", "contracts", "processes")
"""What `agents/`, `tools/` and `evaluators/` may import."""

ONLY_IN: dict[str, str | tuple[str, ...]] = {
    "ray": "sandbox/batch/actors/",
    "litellm": "sandbox/models/transport_litellm.py",
    "redis": "sandbox/stores/redis/",
    "gymnasium": "sandbox/gym/",
    "jinja2": "sandbox/html/page.py",
    "vl_convert": "sandbox/html/plots.py",
    "textual": "sandbox/viewer/",
    "pyarrow": ("sandbox/export/parquet.py", "sandbox/stores/cold.py"),
    "fsspec": "sandbox/stores/cold.py",
    "inspect_ai": "sandbox/export/inspect.py",
    "xllamacpp": "sandbox/local/llama.py",
    "opentelemetry": "sandbox/operations/otel.py",
    "prometheus_client": "sandbox/operations/metrics.py",
}
"""The one file, or the one folder, that imports a heavy package; each of a few files."""


def modules() -> list[Path]:
    tops = ("sandbox", "agents", "tools", "evaluators")
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))


@cache
def imports(path: Path) -> tuple[str, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def folder(module: str) -> str:
    """The folder of `sandbox/` in which a module lies; the module itself where it lies in none."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 else ""


@cache
def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.startswith("riskbox.")}


@cache
def is_ground(name: str) -> bool:
    """Whether a file beside the folders stands under them all: it imports nothing but others of its kind."""
    path = ROOT / "sandbox" / f"{name}.py"
    return path.is_file() and all(is_ground(folder(one)) for one in ours(path) if one.count(".") > 1)


def test_every_folder_has_a_floor() -> None:
    found = {path.parent.name for path in (ROOT / "sandbox").glob("*/__init__.py")}
    assert found == set(FLOORS)


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_a_folder_imports_only_folders_below_it(path: Path) -> None:
    top, inside, *rest = path.relative_to(ROOT).parts
    own = inside if rest else ""
    for name in ours(path):
        if name.count(".") < 2:
            continue  # the name of a top folder, or of something that the front door exports
        other = folder(name)
        if top != "sandbox":
            if not name.startswith(f"riskbox.{top}."):
                assert name.startswith("riskbox.sandbox."), f"{relative(path)} imports {name}"
                assert other in OPEN or is_ground(other), (
                    f"{relative(path)} imports {name}, which is neither a word, a contract nor what keeps a process"
                )
            continue
        assert name.startswith("riskbox.sandbox."), (
            f"{relative(path)} names {name}; only the registry may, as text"
        )
        if own == other or is_ground(other) or (path.name == "__init__.py" and not rest):
            continue
        if own in FLOORS and other in FLOORS:
            assert FLOORS.index(other) < FLOORS.index(own), (
                f"{relative(path)} imports {name}, which lies above it"
            )
        elif name.count(".") > 2 or (ROOT / "sandbox" / f"{other}.py").exists():
            raise AssertionError(f"{relative(path)} imports {name}, which has no floor")


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_heavy_packages_stay_where_they_belong(package: str) -> None:
    users = {
        relative(path)
        for path in modules()
        if any(name == package or name.startswith(package + ".") for name in imports(path))
    }
    assert all(user.startswith(ONLY_IN[package]) for user in users), users


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
