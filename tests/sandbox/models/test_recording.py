"""Recorded calls: what comes back, what is missing, who may write, what the file gives away."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.contracts.model import Reply
from riskbox.sandbox.errors import BudgetSpent, Halt, InputError, ModelFault
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.recording import Mode, RecordedCalls, Recording
from riskbox.sandbox.stub.script import CallTool, Fail, Refuse, Say, SayJson, Slow, Usage
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import FITTING, KEY, Seated, Sit, reached

TRANSPORTS = ["http", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.calls"


def kept(path: Path, mode: Mode) -> dict[str, Any]:
    return {"recording": Recording(str(path), mode)}


async def closed(seat: Seated) -> None:
    await seat.clients.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_recording_answers_when_the_provider_is_gone(
    stub: Stub, sit: Sit, path: Path, transport: str
) -> None:
    stub.script(
        Say("It is nine.", usage=Usage(100, 20, 30)),
        Say("One moment.", calls=(CallTool("mail__send", {"to": "kin"}),)),
        Refuse("I will not."),
        SayJson({"severity": 7, "why": "Grüße 🙂"}),
    )
    tools = [{"type": "function", "function": {"name": "mail__send", "parameters": {"type": "object"}}}]
    asked: list[dict[str, Any]] = [{}, {"tools": tools}, {"event": 3}, {"schema": FITTING}]
    seat = sit(transport, **kept(path, "record"))
    live = [await seat.ask(**one) for one in asked]
    await closed(seat)
    heard = len(stub.requests)
    seat = sit(transport, **kept(path, "replay"))
    assert [await seat.ask(**one) for one in asked] == live
    assert len(stub.requests) == heard == 4
    assert [call.source for call in seat.ledger.calls] == ["replay"] * 4
    first = seat.ledger.calls[0]
    assert (first.input_tokens, first.cached_tokens, first.output_tokens, first.cost) == (100, 30, 20, 0.0)
    assert (first.attempts, first.latency, len(first.key)) == (0, 0, 32)


async def test_a_recorded_reply_is_the_one_that_an_unrecorded_run_gets(
    stub: Stub, sit: Sit, path: Path
) -> None:
    stub.script(Say("One moment.", calls=(CallTool("mail__send", {"to": "kin"}, id="1"),)), repeat=True)
    bare = await sit().ask()
    assert await sit(**kept(path, "record")).ask() == bare


async def test_a_miss_names_the_call(stub: Stub, sit: Sit, path: Path) -> None:
    seat = sit(**kept(path, "record"))
    await seat.ask("What time is it?")
    await closed(seat)
    with pytest.raises(Halt) as caught:
        await sit(**kept(path, "replay")).ask("What\nday is it?")
    told = str(caught.value)
    assert str(path) in told
    assert "to http://" in told
    assert "after 'What day is it?'" in told
    assert "record the run again" in told
    assert caught.value.exit_code == 2
    assert "\n" not in told
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2}, {"seat": "user"}, {"settings": {"temperature": 1}}, {"event": 1}, {"sample": 1}, {"purpose": "x"},
        {"said": "Bye."}, {"schema": FITTING}, {"tools": [{"type": "function", "function": {"name": "x"}}]},
    ],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
async def test_all_that_is_asked_makes_the_call(
    stub: Stub, sit: Sit, path: Path, change: dict[str, Any]
) -> None:
    stub.script(SayJson({"severity": 1, "why": ""}), repeat=True)
    first = sit(**kept(path, "cache"))
    await first.ask()
    seats = {name: change[name] for name in change.keys() & {"seed", "seat", "settings"}}
    asked = {name: change[name] for name in change.keys() - seats.keys()}
    other = sit(clients=first.clients, **seats)
    await other.ask(**asked)
    assert len(stub.requests) == 2
    assert other.call.source == "live"
    await other.ask(**asked)
    assert (len(stub.requests), other.call.source) == (2, "cache")


async def test_repeated_samples_stay_independent(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(lambda request: f"It is {request.asked.seed}.", repeat=True)
    seat = sit(**kept(path, "cache"))
    first = [await seat.ask(sample=place) for place in range(4)]
    assert len({one.text for one in first}) == 4
    await closed(seat)
    assert [await sit(**kept(path, "cache")).ask(sample=place) for place in range(4)] == first
    assert len(stub.requests) == 4


async def test_a_budget_changes_no_recording(stub: Stub, sit: Sit, path: Path) -> None:
    seat = sit(limits=ModelLimits(run_tokens=1e6), **kept(path, "record"))
    live = await seat.ask()
    await closed(seat)
    assert await sit(**kept(path, "replay")).ask() == live


async def test_failures_are_recorded(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Fail(500, message="Away."))
    seat = sit(**kept(path, "record"))
    with pytest.raises(ModelFault, match=r"500: Away\.") as live:
        await seat.ask()
    await closed(seat)
    with pytest.raises(ModelFault) as again:
        await sit(**kept(path, "replay")).ask()
    assert (str(again.value), again.value.outcome) == (str(live.value), live.value.outcome)
    # whoever goes on recording asks again, and the answer takes the place of the failure
    stub.script("Hello.")
    seat = sit(**kept(path, "record"))
    assert (await seat.ask()).text == "Hello."
    await closed(seat)
    assert (await sit(**kept(path, "replay")).ask()).text == "Hello."


async def test_a_cache_keeps_no_failures(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Fail(500), "Hello.")
    seat = sit(**kept(path, "cache"))
    with pytest.raises(ModelFault):
        await seat.ask()
    assert (await seat.ask()).text == "Hello."
    assert (await seat.ask()).text == "Hello."
    assert len(stub.requests) == 2


async def test_a_key_that_was_wrong_is_not_recorded(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Fail(401), "Hello.")
    seat = sit(**kept(path, "record"))
    with pytest.raises(Halt):
        await seat.ask()
    assert (await seat.ask()).text == "Hello."


async def test_a_call_that_a_time_limit_ended_is_ended_by_it_again(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Slow(30))
    modes: tuple[Mode, ...] = ("record", "replay")
    for mode in modes:
        seat = sit(**kept(path, mode))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await seat.ask()
        assert seat.call.outcome == "timeout"
        await closed(seat)
    assert len(stub.requests) == 1


async def test_a_call_that_was_retried_with_another_seed_replays(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Slow(30), "Hello.")
    modes: tuple[Mode, ...] = ("record", "replay")
    for mode in modes:
        seat = sit(retries=1, seconds=0.3, **kept(path, mode))
        assert (await seat.ask()).text == "Hello."
        await closed(seat)
    assert len(stub.requests) == 2


async def test_a_call_that_the_end_of_a_run_cut_off_is_not_recorded(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Slow(30))
    seat = sit(**kept(path, "record"))
    task = asyncio.create_task(seat.ask())
    await asyncio.sleep(0.2)
    seat.clients.stopping = True
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await closed(seat)
    with pytest.raises(Halt, match="contains no recording"):
        await sit(**kept(path, "replay")).ask()


async def test_an_episode_s_budget_ends_it_again(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Say("Hello.", usage=Usage(400, 100)), repeat=True)
    told = []
    times: tuple[tuple[Mode, ModelLimits], ...] = (
        ("record", ModelLimits(episode_tokens=1200)),
        ("replay", ModelLimits()),
    )
    for mode, limits in times:
        seat = sit(settings={"max_tokens": 100}, limits=limits, **kept(path, mode))
        with pytest.raises(BudgetSpent) as caught:
            for event in range(9):
                await seat.ask("word " * 80, event=event)
        told.append(str(caught.value))
        assert len(seat.ledger.calls) == 2
        await closed(seat)
    assert told[0] == told[1]


async def test_the_first_answer_of_two_stands_for_both(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script(Slow(0.3, "first asked, last answered"), "last asked, first answered")
    one, two = sit(**kept(path, "cache")), sit(**kept(path, "cache"))
    slow = asyncio.create_task(one.ask())
    await asyncio.sleep(0.1)
    quick = await two.ask()
    assert quick.text == "last asked, first answered"
    assert await slow == quick


WRITING = """
import asyncio, sys
from riskbox.sandbox.models.recording import Recording
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.contracts.model import Ledger, Prompt
path, url, first = sys.argv[1:]
async def main():
    clients = Clients(ModelOptions(recording=Recording(path, "record")))
    model = clients.model(url + "/v1#stub-echo", "agent", Ledger(), 1)
    async def one(event):
        return await model.ask(Prompt([{"role": "user", "content": f"word {event}"}], event=event))
    await asyncio.gather(*(one(int(first) + event) for event in range(200)))
    await clients.close()
asyncio.run(main())
"""


async def test_several_processes_record_into_one_file(stub: Stub, sit: Sit, path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITING, str(path), stub.url, first], stderr=subprocess.PIPE, text=True
        )
        for first in ("0", "100", "0")
    ]
    errors = [await asyncio.to_thread(one.communicate) for one in writers]
    assert [error for _, error in errors] == ["", "", ""]
    seat = sit(f"{stub.url}/v1#stub-echo", **kept(path, "replay"))
    for event in range(300):
        assert (await seat.ask(f"word {event}", event=event)).text == f"word {event}"


async def test_a_recording_is_one_file_and_replays_where_nothing_can_be_written(
    stub: Stub, sit: Sit, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    path = folder / "run.calls"
    seat = sit(**kept(path, "record"))
    live = await seat.ask()
    await closed(seat)
    assert [one.name for one in folder.iterdir()] == ["run.calls"]
    folder.chmod(0o500)
    path.chmod(0o400)
    try:
        assert await sit(**kept(path, "replay")).ask() == live
    finally:
        folder.chmod(0o700)


async def test_no_key_is_in_the_file(stub: Stub, sit: Sit, path: Path) -> None:
    stub.script("Hello.", Fail(500, message=f"Bad key {KEY}"))
    for transport in ("http", "openai/gpt-4o-mini"):
        seat = sit(transport, **kept(path, "record"))
        try:
            await seat.ask()
        except ModelFault:
            continue
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT request, answer FROM calls").fetchall()
    import zlib

    assert len(rows) == 2
    assert all(KEY.encode() not in zlib.decompress(blob) for row in rows for blob in row)


# --- files that are none ----------------------------------------------------------------------------------------


def opened(path: Path, mode: Mode) -> RecordedCalls:
    return RecordedCalls(Recording(str(path), mode))


@pytest.fixture
def other(path: Path) -> Iterator[Path]:
    """A database of somebody else's."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    yield path
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


@pytest.mark.parametrize("mode", ["record", "replay", "cache"])
def test_somebody_else_s_database_is_left_alone(other: Path, mode: Mode) -> None:
    with pytest.raises(InputError, match=r"run\.calls is not a recording of model calls"):
        opened(other, mode)


@pytest.mark.parametrize("mode", ["record", "replay", "cache"])
@pytest.mark.parametrize("content", [b"Dear diary, " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_left_alone(path: Path, mode: Mode, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.calls is not a recording of model calls"):
        opened(path, mode)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", ["record", "replay", "cache"])
def test_a_folder_is_no_recording(tmp_path: Path, mode: Mode) -> None:
    with pytest.raises(InputError, match=str(tmp_path)) as caught:
        opened(tmp_path, mode)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_none_to_replay(path: Path) -> None:
    path.touch()
    with pytest.raises(InputError, match="is not a recording of model calls"):
        opened(path, "replay")
    opened(path, "record").close()


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no recording .*run\.calls. Make one with --record"):
        opened(path, "replay")
    with pytest.raises(InputError, match=r"the folder .*nowhere does not exist"):
        opened(path.parent / "nowhere" / "run.calls", "record")


@pytest.mark.parametrize("damage", ["answer", "pages"])
async def test_a_damaged_file_is_told(stub: Stub, sit: Sit, path: Path, damage: str) -> None:
    seat = sit(**kept(path, "record"))
    for event in range(200):
        await seat.ask("word " * 200 + str(event), event=event)
    await closed(seat)
    if damage == "answer":
        with sqlite3.connect(path) as db:
            db.execute("UPDATE calls SET answer = x'00'")
    else:
        raw = bytearray(path.read_bytes())
        raw[8192:] = os.urandom(len(raw) - 8192)
        path.write_bytes(raw)
    with pytest.raises((Halt, InputError)) as caught:
        seat = sit(**kept(path, "replay"))
        for event in range(200):
            await seat.ask("word " * 200 + str(event), event=event)
    assert "run.calls is damaged" in str(caught.value)
    assert caught.value.exit_code == 2


async def test_a_disk_that_is_full_halts_the_run(stub: Stub, sit: Sit, path: Path) -> None:
    seat = sit(**kept(path, "record"))
    await seat.ask()
    assert seat.clients.recorded is not None
    seat.clients.recorded._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Halt, match=r"run\.calls cannot be written: database or disk is full"):
        for event in range(100):
            await seat.ask("word " * 2000 + str(event), event=event)


@pytest.mark.long
def test_replaying_a_litellm_model_needs_no_litellm(stub: Stub, tmp_path: Path) -> None:
    asking = """
import asyncio, sys
from riskbox.sandbox.models.recording import Recording
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.contracts.model import Ledger, Prompt
async def main(mode):
    clients = Clients(ModelOptions(recording=Recording("run.calls", mode)))
    print((await clients.model("openai/stub", "agent", Ledger(), 1).ask(Prompt([{"role": "user", "content": "x"}]))).text)
    await clients.close()
asyncio.run(main(sys.argv[1]))
print("litellm" in sys.modules)
"""
    stub.script("Hello.")
    said = []
    for mode in ("record", "replay"):
        done = subprocess.run(
            [sys.executable, "-c", asking, mode],
            capture_output=True, text=True, cwd=tmp_path, timeout=60, env={**os.environ, **reached(stub.url)},
        )  # fmt: skip
        assert done.stderr == ""
        said.append(done.stdout.split())
    assert said == [["Hello.", "True"], ["Hello.", "False"]]


def test_a_reply_has_nothing_that_json_would_change() -> None:
    """Replies are compared as a whole above; lists and tuples would differ."""
    assert Reply() == Reply(calls=())
