"""What the tests of this folder are given."""

from __future__ import annotations

import pytest

from tests.tools.mail.world import Box


@pytest.fixture
def box() -> Box:
    return Box()
