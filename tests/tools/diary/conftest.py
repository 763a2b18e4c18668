"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.diary.world import World


@pytest.fixture
def world() -> World:
    return World()
