"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.files.world import Drive


@pytest.fixture
def drive() -> Drive:
    return Drive()
