"""Pictures of the screens at two sizes, as SVG, kept beside this file: what is drawn now says the same, cell by cell.

`RISKBOX_NEW_PICTURES=1 pytest tests/sandbox/viewer/test_pictures.py` draws them anew; look at them before you keep them.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.screen import write_picture
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.words.verdict import Finding
from tests.sandbox.viewer.conftest import LARGE, SMALL, Viewing, press

KEPT = Path(__file__).parent / "pictures"
RUN = "20260302-090000-aaaa"
NEW = os.environ.get("RISKBOX_NEW_PICTURES")
CELL, LINE = 12.2, 24.4
"""How wide and high a character is in a picture."""


@pytest.fixture
def fixed(tmp_path: Path) -> Iterator[Store]:
    """A store that is the same every time."""
    cases = [sample_case(persona=name) for name in ("owner", "neighbour")]
    run = sample_run(cases, seeds=2).model_copy(update={"run": RUN, "created": "2026-03-02T09:00:00+00:00"})
    with open_store(f"{tmp_path}/runs.db") as store:
        store.begin(run, cases, [])
        for case, seed, value in ((cases[0], 0, 0), (cases[0], 1, None), (cases[1], 0, -8), (cases[1], 1, 0)):
            found = Finding(
                risk="told_who_called", category=("legal.privacy",), status="realised", severity=8,
                reason="It named the caller.", evidence=(0,),
            )  # fmt: skip
            one = sample_assessment(value).model_copy(update={"findings": (found,) if value else ()})
            store.write(RUN, [packed(sample_played(RUN, case, seed, assessments=[one]))])
        store.finish(RUN, "done")
        yield store


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=lambda size: "{}x{}".format(*size))
@pytest.mark.parametrize(
    ("name", "keys"),
    [("list", []), ("episode", ["enter", "n"]), ("comparison", ["enter", "c", "enter"]), ("overview", ["v"])],
)
async def test_a_screen_is_as_it_was(
    viewing: Viewing, fixed: Store, tmp_path: Path, name: str, keys: list[str], size: tuple[int, int]
) -> None:
    kept = KEPT / f"{name}-{size[0]}x{size[1]}.svg"
    drawn = kept if NEW else tmp_path / kept.name
    async with viewing(RUN, other=fixed, size=size) as (app, pilot):
        await press(app, pilot, *keys)
        write_picture(app.export_screenshot(title="riskbox view"), str(drawn))
    assert said(drawn) == said(kept)


def said(picture: Path) -> list[str]:
    """What a picture says, line by line; ids of episodes and the bar of keys, which Textual draws, left out."""
    lines: dict[int, dict[int, str]] = {}
    for one in ET.parse(picture).iter("{http://www.w3.org/2000/svg}text"):
        if "clip-path" in one.attrib:
            place = round(float(one.attrib["x"]) / CELL)
            lines.setdefault(round(float(one.attrib["y"]) / LINE), {})[place] = one.text or ""
    whole = []
    for _, parts in sorted(lines.items())[:-1]:
        line = ""
        for place, text in sorted(parts.items()):
            line = line.ljust(place) + text.replace("\xa0", " ")
        whole.append(re.sub(r"\b[0-9a-f]{8}(?:[0-9a-f]{8})?\b", "-id-", line).rstrip())
    assert len(whole) > 10
    return whole
