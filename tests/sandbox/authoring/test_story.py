"""There is a story to begin from for each built-in toolset."""

from __future__ import annotations

from riskbox.sandbox.authoring.story import STORY_TEMPLATES
from riskbox.sandbox.registry.toolsets import TOOLSETS


def test_every_built_in_toolset_has_a_story() -> None:
    assert set(STORY_TEMPLATES) == set(TOOLSETS)
