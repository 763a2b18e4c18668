"""What the tests of this folder are given."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.tools.lab.world import Episode


@pytest.fixture
def lab() -> Episode:
    return Episode()


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
