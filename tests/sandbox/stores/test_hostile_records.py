"""Records that a stranger wrote or changed: whatever they hold, each command says what is wrong with them or reads them."""

from __future__ import annotations

import copy
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskbox.sandbox import budget, cli
from riskbox.sandbox.errors import StoreError
from riskbox.sandbox.stores.record import unpack
from riskbox.sandbox.words.episode import Played

GOLDEN = json.loads((Path(__file__).parent / "golden" / "0.1.0.json").read_text())
LINE: dict[str, Any] = {**GOLDEN["played"], "case": GOLDEN["case"], "run": GOLDEN["manifest"]}
LINE["run"]["run"] = LINE["episode"]["run"]
"""A line of exported episodes, as an earlier release wrote it."""

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    if at:
        yield at
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*at, key))


DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]
HOSTILE: tuple[Any, ...] = (
    *(10**18, -(10**18), 10**30, -1, 0, 1e308, float("inf"), float("nan"), None, True, "", "x" * 3_000),
    *(
        "\x1b[2J\u202e\x00",
        "\ud800",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        [],
        {},
        [None],
        DEEP,
    ),
)
"""What takes the place of a value."""
COMMANDS = (
    "list runs",
    "list episodes",
    "report",
    "report --html page.html",
    "show --full",
    "show --as user",
    "show --verify",
    "export csv",
    "export junit",
    "export sarif",
    "export jsonl",
)


def changed(place: Place, value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(LINE)
    node = made
    for key in place[:-1]:
        node = node[key]
    if value == "gone":
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return dict(made)


def riskbox(*words: str) -> tuple[int, str]:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), redirect_stderr(out):
        code = cli.main(list(words))
    out.flush()
    return code, out.buffer.getvalue().decode()


def read(line: dict[str, Any], folder: Path, *commands: str) -> str:
    """What `riskbox import` says of a line, and each command of what was imported; none of them may crash."""
    (folder / "run.jsonl").write_text(json.dumps(line) + "\n")
    store = ("--store", f"sqlite:///{folder}/runs.db")
    code, said = riskbox("import", "jsonl", f"{folder}/run.jsonl", *store)
    assert code in (0, 2, 3)
    if code:
        assert f"{folder}/run.jsonl:1: " in said or f"{folder}/run.jsonl: " in said, said[:1000]
        return said
    for one in commands:
        words = [str(folder / word) if word == "page.html" else word for word in one.split()]
        code, more = riskbox(*words, *store)
        assert code in (0, 2), (one, more)
        assert "\x1b" not in more or words[0] == "export", one
        said += more
    return said


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.sampled_from(list(places(LINE))), value=st.sampled_from((*HOSTILE, "gone")))
def test_a_changed_record_is_read_or_refused(place: Place, value: Any) -> None:
    with TemporaryDirectory() as folder:
        read(changed(place, value), Path(folder), *COMMANDS)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("episode", "events", 1, "time"), 10**18, "time"),
        (("case", "scenario", "world", "clock"), "9999-12-31T23:59:59Z", "between the years 1000 and 9000"),
        (("case", "scenario", "world", "clock"), "noon", "noon"),
        (("case", "scenario", "world", "clinic", "patients", 0, "name"), DEEP, "deeper than 200 levels"),
        (("case", "persona"), "nobody", "nobody"),
        (("episode", "events"), [], "cannot be read"),
    ],
)
def test_a_wrong_record_is_refused_with_its_place(
    place: Place, value: Any, said: str, tmp_path: Path
) -> None:
    told = read(changed(place, value), tmp_path)
    assert f"{tmp_path}/run.jsonl:1: " in told and said in told


def test_a_row_without_an_id_is_refused(tmp_path: Path) -> None:
    case = GOLDEN["case"]
    toolset, table = next(
        (one, name) for one, tables in case["world"].items() for name, rows in tables.items() if rows
    )
    told = read(changed(("case", "world", toolset, table, 0, "id"), "gone"), tmp_path)
    assert f"{tmp_path}/run.jsonl:1: a stored case cannot be read: KeyError('id')" in told


def test_a_run_id_drives_no_terminal(tmp_path: Path) -> None:
    line = copy.deepcopy(LINE)
    line["run"]["run"] = line["episode"]["run"] = "\x1b[2Jrun"
    assert "episodes of ␛[2Jrun" in read(line, tmp_path, *COMMANDS)


def test_few_bytes_that_stand_for_gigabytes_are_not_unpacked() -> None:
    packer = zlib.compressobj(9)
    block = b" " * 10_000_000
    bomb = b"".join(packer.compress(block) for _ in range(30)) + packer.flush()
    assert len(bomb) < 400_000
    with pytest.raises(StoreError, match=f"more than {budget.RECORD_BYTES:,} bytes"):
        unpack(Played, bomb)


@pytest.mark.parametrize("text", [b"[" * 1_000_000, b"{", b"[]", b"\xff"])
def test_what_is_no_record_is_damaged(text: bytes) -> None:
    with pytest.raises(StoreError, match="a stored played"):
        unpack(Played, zlib.compress(text))


def test_a_record_whose_end_is_missing_is_damaged() -> None:
    with pytest.raises(StoreError, match="cut short"):
        unpack(Played, zlib.compress(json.dumps(GOLDEN["played"]).encode())[:-40])
