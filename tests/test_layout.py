"""The mapping from folders to packages is complete, and nothing shadows an installed package."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

import riskbox

ROOT = Path(__file__).parent.parent
MAPPED = ("sandbox", "agents", "tools", "evaluators", "scenarios")


def test_every_folder_with_files_is_a_package() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {"riskbox"}
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


def test_a_checkout_knows_its_version_and_its_modules_keep_their_paths() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert hasattr(riskbox, "__version__"), (
        "packages changed: install again with `pip install --no-deps -e .`"
    )
    assert riskbox.__version__ == project["version"]
    assert list(riskbox.__path__) == [str(ROOT)]
    for name in ("riskbox.sandbox.cli", "riskbox.agents.chat", "riskbox.tools.bank.rows"):
        assert ".links" not in str(import_module(name).__file__), name
    assert files("riskbox.scenarios") == ROOT / "scenarios"
    with pytest.raises(AttributeError, match="no attribute 'versions'"):
        riskbox.versions  # noqa: B018


def test_links_for_type_checkers_resolve() -> None:
    for name in MAPPED:
        link = ROOT / ".links" / "riskbox" / name
        assert link.is_symlink() and link.resolve() == (ROOT / name).resolve(), name


def test_the_package_is_typed() -> None:
    assert (ROOT / ".links" / "riskbox" / "py.typed").is_file()


def test_no_text_says_to_install_from_an_index() -> None:
    # Riskbox is on none; docs/install.md and `install_hint` say what works
    told = re.compile(r"install '?riskbox(\[|$|'|\s)", re.MULTILINE | re.IGNORECASE)
    texts = [
        path for top in (*MAPPED, "docs") for end in ("py", "md") for path in (ROOT / top).rglob(f"*.{end}")
    ]
    assert [path for path in (*texts, ROOT / "README.md") if told.search(path.read_text())] == []


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
