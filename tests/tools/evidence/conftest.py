"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.evidence.world import Office


@pytest.fixture
def office() -> Office:
    return Office()
