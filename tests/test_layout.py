"""The mapping from folders to packages is complete, and nothing shadows an installed package."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAPPED = ("sandbox", "agents", "tools", "evaluators", "scenarios")


def test_every_folder_with_files_is_a_package() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = set()
    for top in MAPPED:
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                found.add("riskbox." + ".".join(path.parent.relative_to(ROOT).parts))
    assert found == listed


def test_generic_folders_have_no_init() -> None:
    # without it they can never shadow an installed `agents` or a user's `tools`
    for name in ("agents", "tools", "evaluators"):
        assert not list((ROOT / name).rglob("__init__.py")), name


def test_sandbox_and_scenarios_have_init() -> None:
    folders = {path.parent for path in (ROOT / "sandbox").rglob("*.py")}
    for folder in (*folders, ROOT / "scenarios"):
        assert (folder / "__init__.py").is_file(), folder


def test_links_for_type_checkers_resolve() -> None:
    for name in MAPPED:
        link = ROOT / ".links" / "riskbox" / name
        assert link.is_symlink() and link.resolve() == (ROOT / name).resolve(), name


def test_every_package_is_typed() -> None:
    for name in MAPPED:
        assert (ROOT / name / "py.typed").is_file(), name


def test_seven_top_level_names() -> None:
    for name in (
        "sandbox",
        "scenarios",
        "agents",
        "tools",
        "evaluators",
        "tests",
        "docker-compose.yml",
        "pyproject.toml",
    ):
        assert (ROOT / name).exists(), name
