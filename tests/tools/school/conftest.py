"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.school.world import Episode


@pytest.fixture
def school() -> Episode:
    return Episode()
