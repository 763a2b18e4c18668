"""uv.lock and constraints.txt fit pyproject.toml; `make lock` makes them anew."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPI = {"https://pypi.org", "https://files.pythonhosted.org"}
RENEW = "run `make lock`"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return tomllib.loads((ROOT / "uv.lock").read_text())


@pytest.fixture(scope="module")
def pins() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]


def asked(project: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Each requirement of pyproject, as extra, name and versions."""
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    parsed = [(extra, Requirement(line)) for extra, lines in groups.items() for line in lines]
    return {(extra, canonicalize_name(one.name), str(one.specifier)) for extra, one in parsed}


def test_the_lock_was_made_from_these_requirements(project: dict[str, Any], lock: dict[str, Any]) -> None:
    [ours] = [one for one in lock["package"] if one["name"] == "riskbox"]
    held = {
        (
            extra[1] if (extra := re.search(r"extra == '([^']+)'", one.get("marker", ""))) else "",
            one["name"],
            str(Requirement(one["name"] + one.get("specifier", "")).specifier),
        )
        for one in ours["metadata"]["requires-dist"]
    }
    assert held == asked(project), RENEW
    assert lock["requires-python"] == project["requires-python"], RENEW


def test_every_pin_is_what_the_lock_holds(lock: dict[str, Any], pins: list[Requirement]) -> None:
    held = {(one["name"], one.get("version")) for one in lock["package"]}
    for pin in pins:
        [exact] = pin.specifier
        assert exact.operator == "==" and (pin.name, exact.version) in held, f"{pin}: {RENEW}"


def test_every_requirement_has_a_pin_that_it_allows(project: dict[str, Any], pins: list[Requirement]) -> None:
    found = {pin.name: next(iter(pin.specifier)).version for pin in pins}
    for extra, name, versions in asked(project):
        # Inspect AI is locked apart from the rest, see [tool.uv]
        if name != "riskbox" and extra != "inspect":
            assert name in found and Requirement(name + versions).specifier.contains(found[name]), name


def test_the_lock_names_the_public_index_and_no_other(lock: dict[str, Any]) -> None:
    text = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r"\w+://[^/\"]+", text)) == PYPI
    assert {tuple(one["source"]) for one in lock["package"]} == {("registry",), ("editable",)}
    assert "/" not in (ROOT / "constraints.txt").read_text()
