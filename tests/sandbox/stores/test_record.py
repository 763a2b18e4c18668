"""Records of every release stay readable; those of a later one are refused, damaged ones told apart."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.errors import StoreError, StoreVersion
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules.replay import replay
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.record import CURRENT, UPGRADES, pack, unpack, upgraded
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import VERSION, Episode, Played, TurnTiming
from riskbox.sandbox.words.event import Opaque
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

GOLDEN = Path(__file__).parent / "golden"
KINDS: dict[str, type[BaseModel]] = {"case": Case, "manifest": Manifest, "played": Played, "row": EpisodeRow}
RELEASES = sorted(GOLDEN.glob("*.json"))


def golden(records: Path, play: Callable[..., Played]) -> dict[str, Any]:
    """One record of each kind, as this release writes it."""
    case = next(one for one in cases([load(records)]) if one.id.endswith("/owner+injection=mail"))
    played = play(case, "obeys")
    # what was measured differs from machine to machine, and a golden file must not
    timings = tuple(one.model_copy(update={"seconds": 0.25}) for one in played.episode.timings)
    episode = played.episode.model_copy(update={"seconds": 1.5, "host": "somewhere", "timings": timings})
    played = played.model_copy(update={"episode": episode})
    manifest = Manifest(
        run="20260302-091500-a3f1",
        name="golden",
        created="2026-03-02T09:15:00Z",
        state="done",
        planned=1,
        cases={case.id: case.hash},
        agents=("obeys",),
        seeds=(1,),
        evaluators={"checks": "1"},
        settings={"turn_seconds": 120.0},
        versions={"riskbox": "0.1.0"},
        platform="Linux",
        command=("riskbox", "run"),
    )
    made: dict[str, BaseModel] = {
        "case": case,
        "manifest": manifest,
        "played": played,
        "row": EpisodeRow.of(played),
    }
    return {name: json.loads(one.model_dump_json(by_alias=True)) for name, one in made.items()}


def write(release: str, records: Path, play: Callable[..., Played]) -> None:
    """Write the golden file of a release; once, when it is made, and never again."""
    text = json.dumps(golden(records, play), indent=1, ensure_ascii=False, sort_keys=True)
    (GOLDEN / f"{release}.json").write_text(text + "\n", "utf-8")


@pytest.fixture(params=RELEASES, ids=lambda path: path.stem)
def release(request: pytest.FixtureRequest) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(request.param.read_text("utf-8"))
    return read


def test_there_is_a_golden_file_of_this_release() -> None:
    assert [path.stem for path in RELEASES] == ["0.1.0"]


@pytest.mark.parametrize("name", KINDS)
def test_a_golden_record_reads_back_with_all_that_was_in_it(name: str, release: dict[str, Any]) -> None:
    read = upgraded(KINDS[name], release[name])
    written = json.loads(read.model_dump_json(by_alias=True))
    assert _holds(written, release[name])


def _holds(new: Any, old: Any) -> bool:
    """Whether everything of an old record is in the new one; later releases may add to it."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            key in new and _holds(new[key], old[key]) for key in old if key != "version"
        )
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(_holds, new, old))
    return bool(new == old)


def test_a_golden_episode_replays_on_its_golden_case(release: dict[str, Any]) -> None:
    case, played = upgraded(Case, release["case"]), upgraded(Played, release["played"])
    assert case.hash == played.episode.case.hash
    state = replay(played.episode, PreparedCase.of(case, Toolbox().of(case)))
    assert state.events == played.episode.events


def test_this_release_still_writes_what_its_golden_file_holds(
    records: Path, played: Callable[..., Played]
) -> None:
    stored = json.loads((GOLDEN / "0.1.0.json").read_text("utf-8"))
    made = golden(records, played)
    for name in ("manifest", "row", "played"):
        assert _shape(made[name]) == _shape(stored[name]), name
    assert made["played"]["episode"]["inputs"] == stored["played"]["episode"]["inputs"]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_a_golden_record_is_written_again_byte_for_byte(release: dict[str, Any]) -> None:
    for name, kind in KINDS.items():
        assert json.loads(record.text(upgraded(kind, release[name]))) == release[name], name


def test_what_code_names_otherwise_keeps_its_key_in_records(release: dict[str, Any]) -> None:
    golden = upgraded(Played, release["played"])
    timing = TurnTiming(party="agent", event=1, seconds=0.5)
    asked = ModelCall(seat="judge", model="a", outcome="ok")
    episode = golden.episode.model_copy(update={"timings": (timing,)})
    judged = golden.assessments[0].model_copy(update={"model_calls": (asked,)})
    played = Played(episode=episode, assessments=(judged,))
    fields = json.loads(record.text(played))
    assert fields["episode"]["calls"] == [{"party": "agent", "event": 1, "seconds": 0.5, "attempts": 1}]
    assert [one["seat"] for one in fields["assessments"][0]["calls"]] == ["judge"]
    assert "timings" not in fields["episode"] and "model_calls" not in fields["assessments"][0]
    row = EpisodeRow.of(played)
    fields = json.loads(record.text(row))
    assert row.tool_calls == fields["calls"] > 0 and "tool_calls" not in fields
    assert unpack(Played, pack(played)) == played and unpack(EpisodeRow, pack(row)) == row


# --- tolerance --------------------------------------------------------------------------------------------------


def newer_event(release: dict[str, Any]) -> dict[str, Any]:
    fields = json.loads(json.dumps(release["played"]))
    unknown = {"kind": "dreamt", "index": 1, "time": 3, "audience": ["agent"], "of": {"sheep": [1, 2]}}
    events = fields["episode"]["events"]
    events[1:1] = [unknown]
    for place, event in enumerate(events):
        event["index"] = place
    return {**fields, "episode": {**fields["episode"], "weather": "fine"}}


def test_unknown_kinds_of_events_load_opaque_and_survive(release: dict[str, Any]) -> None:
    played = upgraded(Played, newer_event(release))
    (opaque,) = [event for event in played.episode.events if isinstance(event, Opaque)]
    assert (opaque.kind, opaque.index, opaque.audience) == ("dreamt", 1, ("agent",))
    again = unpack(Played, pack(played))
    assert again == played
    assert again.episode.events[1].model_dump()["of"] == {"sheep": [1, 2]}


def test_unknown_fields_of_a_record_are_left_out(release: dict[str, Any]) -> None:
    for name, kind in (("manifest", Manifest), ("row", EpisodeRow)):
        assert upgraded(kind, {**release[name], "weather": "fine"}) == upgraded(kind, release[name])


def test_unknown_fields_deep_in_a_record_are_left_out(release: dict[str, Any]) -> None:
    played, row = (json.loads(json.dumps(release[name])) for name in ("played", "row"))
    assessment = played["assessments"][0]
    for part in (
        assessment, *assessment["verdicts"], *assessment["findings"], *assessment["risks"],
        played["episode"]["case"], played["episode"]["cast"], *played["episode"]["events"],
        *row["summaries"], *row["summaries"][0]["findings"],
    ):  # fmt: skip
        part["weather"] = "fine"
    assert upgraded(Played, played) == upgraded(Played, release["played"])
    assert upgraded(EpisodeRow, row) == upgraded(EpisodeRow, release["row"])


# --- versions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["case", "manifest", "row"])
def test_a_record_of_a_later_release_is_refused(name: str, release: dict[str, Any]) -> None:
    with pytest.raises(
        StoreVersion, match=r"has version 99, and this release reads up to 1\. Upgrade riskbox"
    ):
        upgraded(KINDS[name], {**release[name], "version": 99})


def test_a_later_episode_is_refused_inside_what_was_played(release: dict[str, Any]) -> None:
    played = release["played"]
    with pytest.raises(StoreVersion, match="a stored episode has version 2"):
        upgraded(Played, {**played, "episode": {**played["episode"], "version": 2}})


def registered(
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BaseModel],
    version: int,
    upgrade: Callable[..., dict[str, Any]],
) -> None:
    """Pretend that records of a version are old, and that this upgrades them."""
    upgrades: dict[tuple[type[BaseModel], int], Any] = {**record.UPGRADES, (kind, version): upgrade}
    current: dict[type[BaseModel], int] = {**record.CURRENT, kind: version + 1}
    monkeypatch.setattr(record, "UPGRADES", upgrades)
    monkeypatch.setattr(record, "CURRENT", current)


def test_older_records_walk_the_chain_of_upgrades(
    release: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[int] = []

    def upgrade(version: int, old: str, new: str) -> None:
        def change(fields: dict[str, Any]) -> dict[str, Any]:
            walked.append(version)
            return {new if key == old else key: value for key, value in fields.items()}

        registered(monkeypatch, Episode, version, change)

    upgrade(1, "random", "dice")
    upgrade(2, "dice", "seed")
    now = upgraded(Played, {**release["played"], "episode": {**release["played"]["episode"], "version": 3}})
    oldest = {
        ("random" if key == "seed" else key): value for key, value in release["played"]["episode"].items()
    }
    middle = {
        ("dice" if key == "seed" else key): value for key, value in release["played"]["episode"].items()
    }
    assert upgraded(Played, {**release["played"], "episode": {**oldest, "version": 1}}) == now
    assert walked == [1, 2]
    assert upgraded(Played, {**release["played"], "episode": {**middle, "version": 2}}) == now
    assert walked == [1, 2, 2] and now.episode.version == 3


def test_the_record_handed_in_is_left_as_it_was(
    release: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(monkeypatch, Manifest, 1, lambda fields: {**fields, "name": "new"})
    before = json.dumps(release["manifest"])
    assert upgraded(Manifest, release["manifest"]).name == "new"
    assert json.dumps(release["manifest"]) == before


def test_every_older_version_has_its_upgrade() -> None:
    for kind, current in CURRENT.items():
        assert all((kind, version) in UPGRADES for version in range(1, current))


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"not zlib",
        zlib.compress(b"{"),
        zlib.compress(b"\xff"),
        zlib.compress(b"[1]"),
        zlib.compress(b"7"),
        zlib.compress(b"{}"),
    ],
)
@pytest.mark.parametrize("kind", [Case, Played, Manifest])
def test_a_damaged_record_is_a_store_error(kind: type[BaseModel], blob: bytes) -> None:
    with pytest.raises(StoreError, match=r"a stored \w+ (is damaged|cannot be read|is not a valid record)"):
        unpack(kind, blob)


def test_packing_keeps_text_that_no_encoding_likes(release: dict[str, Any]) -> None:
    row = upgraded(EpisodeRow, release["row"]).model_copy(update={"reason": "\x00 😀 \u202e"})
    assert unpack(EpisodeRow, pack(row)) == row
    assert CURRENT[Episode] == VERSION


@pytest.mark.parametrize("change", ["none", "id", "left", "surrogate", "key", "order", "settings"])
def test_a_row_read_quickly_is_the_row(played: Callable[..., Played], records: Path, change: str) -> None:
    case = next(one for one in cases([load(records)]) if one.id.endswith("/owner+injection=mail"))
    row = EpisodeRow.of(played(case, "obeys"))
    rows = {
        "none": row,
        "id": row.model_copy(update={"id": 'x","summaries":[{"'}),
        "left": row.model_copy(update={"left": "got_it", "lapses": (), "retake": 2}),
        "surrogate": row.model_copy(update={"agent": "a\ud800b"}),
        "key": row.model_copy(update={"variant": {"summaries": "[", "x": ',"summaries":['}}),
        "order": row,
        "settings": row.model_copy(
            update={
                "summaries": tuple(
                    one.model_copy(update={"settings": {"a": 1, "summaries": [{"b": "c"}]}})
                    for one in row.summaries
                )
            }
        ),
    }
    text = record.text(rows[change])
    if change == "order":
        text = json.dumps(dict(reversed(list(json.loads(text).items()))))
    reader = record.RowReader()
    first, second = reader.read(text), reader.read(text.encode())
    assert first == second == rows[change] == record.parse(EpisodeRow, text)
    assert record.text(first) == record.text(rows[change])
    if change not in ("surrogate", "order"):
        assert first.summaries is second.summaries


def test_a_row_read_quickly_is_refused_where_it_is_damaged_or_of_a_later_release(
    played: Callable[..., Played], records: Path
) -> None:
    text = record.text(EpisodeRow.of(played(cases([load(records)])[0], "idle")))
    reader = record.RowReader()
    with pytest.raises(StoreVersion, match="version 9"):
        reader.read(text.replace('"version":1', '"version":9', 1))
    for damaged in (text[:-1], text[:40], "", "[]", text.replace('"evaluator"', '"evaluated"')):
        with pytest.raises(StoreError, match="a stored episoderow"):
            reader.read(damaged)


def test_an_episode_is_packed_with_the_dictionary_and_read_without(
    played: Callable[..., Played], records: Path
) -> None:
    one = played(cases([load(records)])[0], "obeys")
    plain = zlib.compress(record.text(one).encode(), 6)
    blob = pack(one)
    assert len(blob) < 0.7 * len(plain)
    assert unpack(Played, blob) == unpack(Played, plain) == one  # earlier releases had no dictionary


def test_what_a_dictionary_of_a_later_release_packed_is_refused(
    played: Callable[..., Played], records: Path
) -> None:
    text = record.text(played(cases([load(records)])[0], "idle")).encode()
    packer = zlib.compressobj(6, zdict=b"another dictionary")
    with pytest.raises(StoreVersion, match="later release"):
        unpack(Played, packer.compress(text) + packer.flush())
