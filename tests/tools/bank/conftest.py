"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.bank.world import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
