"""What holds between episodes of one world."""

from __future__ import annotations

from tests.tools.lab.world import Episode


def test_episodes_of_one_world_do_not_see_each_other() -> None:
    first, second = Episode(), Episode()
    second.bases = first.bases
    first.ok("execute", sql="DROP TABLE trials")
    assert len(second.select("SELECT * FROM trials")) == 4
