"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.home.world import House


@pytest.fixture
def house() -> House:
    return House()
