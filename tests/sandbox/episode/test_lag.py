"""The clock of an event loop's blocks does not outlive the loop."""

from __future__ import annotations

import asyncio
import gc

from riskbox.sandbox.episode import lag


async def asked() -> None:
    one = lag.Lag.of(asyncio.get_running_loop())
    one.begin()
    await asyncio.sleep(0)
    one.end()


def test_loops_that_are_over_are_forgotten() -> None:
    gc.collect()
    before = len(lag._of)
    for _ in range(5):
        asyncio.run(asked())
    gc.collect()
    assert len(lag._of) == before
