"""Both stores keep every promise of the contract, whatever the texts hold."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.errors import StoreError, StoreVersion
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.testing.stores import STORE_CHECKS, check_store
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow

STRANGE = "\0\x1b\x7f\r\n\u2028\ufeff\ud800\udcff😀'\"%_\\"
ODD = st.text(st.one_of(st.characters(), st.sampled_from(STRANGE)))


def begun(store: Store) -> str:
    case = sample_case()
    manifest = sample_run([case])
    store.begin(manifest, [case], sample_specs([case]))
    return manifest.run


def escaped(played: Played) -> Packed:
    """As `packed`, in JSON that can hold lone surrogates."""
    fields = json.dumps(played.model_dump(mode="json", by_alias=True))
    return Packed(row=EpisodeRow.of(played), blob=zlib.compress(fields.encode()))


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_promise(store: Store, check: Callable[[Store], None]) -> None:
    check(store)


def test_check_store_plays_every_check_on_one_store(tmp_path: Path) -> None:
    with open_store(f"{tmp_path}/runs.db") as store:
        check_store(store)
        assert len(store.runs()) >= len(STORE_CHECKS)


def test_check_store_tells_which_promise_is_broken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store), "count", lambda *args: 7)
    with pytest.raises(AssertionError, match="a new run: expected"):
        check_store(store)


def test_all_of_it_is_there_in_another_object(url: str) -> None:
    case = sample_case()
    manifest, specs = sample_run([case]), sample_specs([case])
    with open_store(url) as store:
        store.begin(manifest, [case], specs)
        played = sample_played(manifest.run, case)
        store.write(manifest.run, [packed(played)])
        store.assess(manifest.run, played.episode.id, [sample_assessment(-2)])
        store.finish(manifest.run, "done")
    with open_store(url, create=False) as store:
        assert store.run() == manifest.model_copy(update={"state": "done"})
        assert store.specs(manifest.run) == specs
        assert store.case(case.hash) == case
        assert store.episode(manifest.run, played.episode.id).assessments == (sample_assessment(-2),)
        assert [row.summaries[0].label for row in store.rows(manifest.run)] == ["risky"]
        assert store.follow(manifest.run)[1] == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ODD, agent=ODD, version=ODD)
@example(text="\ud800\0😀" * 250_000, agent="a", version="b" * 1_000_000)
def test_any_text_reads_as_it_was_written(store: Store, text: str, agent: str, version: str) -> None:
    run = begun(store)
    played = sample_played(
        run,
        sample_case(),
        text=text,
        agent=agent,
        reason=version,
        assessments=[sample_assessment(version=version)],
    )
    assert store.write(run, [escaped(played)]) == 1
    assert store.episode(run, played.episode.id) == played
    assert list(store.rows(run)) == [EpisodeRow.of(played)]
    assert store.follow(run)[0] == [EpisodeRow.of(played)]


def test_settings_are_told_apart_by_value(store: Store) -> None:
    run = begun(store)
    played = sample_played(run, sample_case())
    store.write(run, [packed(played)])
    for settings_ in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, {"a": "1"}, {}):
        store.assess(run, played.episode.id, [sample_assessment(**settings_)])
    found = [one.settings for one in store.episode(run, played.episode.id).assessments]
    assert found == [{"a": 1, "b": 2}, {"a": 1}, {"a": "1"}, {}]


def test_a_damaged_episode_says_where_it_is(store: Store) -> None:
    run = begun(store)
    whole, broken, other = (packed(sample_played(run, sample_case(), seed)) for seed in range(3))
    for blob in (broken.blob[:-3], b"", b"\0" * 40, broken.blob[:20] + b"?" + broken.blob[21:]):
        store.write(run, [whole, Packed(row=broken.row, blob=blob), other])
        with pytest.raises(
            StoreError, match=f"run {run}, episode {broken.row.id}: a stored played is damaged"
        ):
            store.episode(run, broken.row.id)
        assert len(list(store.rows(run))) == 3
        assert store.episode(run, other.row.id).episode.id == other.row.id
        broken = Packed(
            row=broken.row.model_copy(update={"attempt": broken.row.attempt + 1}), blob=broken.blob
        )


def test_a_record_of_a_later_release_is_refused_with_its_version(store: Store) -> None:
    run = begun(store)
    played = sample_played(run, sample_case())
    fields = played.model_dump(mode="json")
    fields["episode"]["version"] = 99
    blob = zlib.compress(json.dumps(fields).encode())
    store.write(run, [Packed(row=EpisodeRow.of(played), blob=blob)])
    with pytest.raises(StoreVersion, match=r"version 99.*Upgrade riskbox") as refused:
        store.episode(run, played.episode.id)
    assert refused.value.exit_code == 2
    row = EpisodeRow.of(sample_played(run, sample_case(), 1)).model_copy(update={"version": 98})
    store.write(run, [Packed(row=row, blob=blob)])
    with pytest.raises(StoreVersion, match="version 98"):
        list(store.rows(run))


def test_one_thread_writes_while_others_read(store: Store) -> None:
    run = begun(store)
    batches = [[packed(sample_played(run, sample_case(), 10 * n + k)) for k in range(10)] for n in range(15)]
    wrong: list[str] = []
    written = threading.Event()

    def read() -> None:
        seen, cursor, last = [], 0, False
        while not last:
            last = written.is_set()
            rows, cursor = store.follow(run, cursor)
            seen += [row.id for row in rows]
            if len(list(store.rows(run))) < len(seen) or store.count(run) % 10:
                wrong.append("half a batch")
        if seen != [one.row.id for batch in batches for one in batch]:
            wrong.append(f"saw {len(seen)} rows")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for batch in batches:
        store.write(run, batch)
    written.set()
    for thread in threads:
        thread.join(20)
    assert wrong == []
