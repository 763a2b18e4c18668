"""Files of tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.authoring.tool_lists import write_list


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a list of tools and gives its path."""
    return lambda content: write_list(tmp_path, content)
