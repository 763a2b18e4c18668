"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.toolset import Files
from tests.tools.files.world import COUNTS, NOW, Drive


def _generated(seed: int) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Files.generate(fake, COUNTS, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = _generated(3)
    assert rows == _generated(3) != _generated(4)
    assert {name: len(table) for name, table in rows.items()} == COUNTS
    bases = Files.parse(rows)
    logins = set(bases["accounts"].rows)
    assert all(file.owner in logins for file in bases["files"].rows.values())
    assert all(file.modified < NOW and file.modified.weekday() < 5 for file in bases["files"].rows.values())
    assert len({file.content for file in bases["files"].rows.values()}) == 60
    drive = Drive(rows)
    assert drive.call("list_folder", path="/srv/shared")["total"] >= 3


def test_generating_is_quick_and_bounded() -> None:
    fake = Faker()
    fake.seed_instance(1)
    began = time.perf_counter()
    Files.parse(Files.generate(fake, {"files": 400}, NOW))
    assert time.perf_counter() - began < 3  # measured: 0.15 s
    with pytest.raises(ToolError, match="cannot generate secrets"):
        Files.generate(fake, {"secrets": 2}, NOW)
