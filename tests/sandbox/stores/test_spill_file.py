"""A spill file keeps what was on the disk when a crash came, and is folded in once."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import StoreError
from riskbox.sandbox.stores import open_store, spill
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)

CASE = sample_case()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def spilled(url: str) -> tuple[spill.Spill, str, list[str]]:
    """An open spill file with three episodes of a run that no store has, one of them assessed."""
    manifest = sample_run([CASE])
    made = spill.Spill(spill.Whole(manifest, {CASE.hash: CASE}, sample_specs([CASE])), spill.places(url))
    episodes = [packed(sample_played(manifest.run, CASE, seed)) for seed in range(3)]
    made.add(episodes)
    made.assess(episodes[0].row.id, [sample_assessment()])
    return made, manifest.run, [one.row.id for one in episodes]


def check(store: Store, run: str, ids: list[str]) -> None:
    assert store.done(run) == set(ids) and store.case(CASE.hash) == CASE
    assert store.episode(run, ids[0]).assessments == (sample_assessment(),)


def test_what_a_crash_cut_short_is_left_out(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    made, run, ids = spilled(url)
    made.close()  # as when its process dies
    (file,) = made.files
    with file.open("ab") as more:
        more.write(b'{"row":"{')
    copy = file.read_bytes()
    with open_store(url, create=False) as store:
        check(store, run, ids)
        assert store.run(run).state == "stopped" and not file.exists()
        file.write_bytes(copy)  # as when folding died before the file was removed
        assert "0 episodes" in spill.fold(store, file)
        check(store, run, ids)
    assert capfd.readouterr().err.count("\n") == 1


def test_a_file_that_is_being_written_is_left_alone(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    made, run, ids = spilled(url)
    with open_store(url) as store:
        assert store.runs() == [] and made.files[0].exists()
    made.end("stopped")
    with open_store(url) as store:
        check(store, run, ids)
    assert capfd.readouterr().err.count("\n") == 1


def test_a_file_that_is_being_begun_is_left_alone(url: str) -> None:
    patched, lock = pytest.MonkeyPatch(), spill._lock

    def late(file: BinaryIO) -> bool:
        patched.undo()
        with open_store(url) as store:  # another command comes in between
            assert store.runs() == []
        return lock(file)

    patched.setattr(spill, "_lock", late)
    made, run, ids = spilled(url)
    made.end("stopped")
    with open_store(url) as store:
        check(store, run, ids)


def test_without_a_place_each_try_says_that_nothing_is_kept() -> None:
    made = spill.Spill(spill.Whole(sample_run([CASE]), {}, []), [Path("/proc/none/run")])
    for _ in range(2):
        with pytest.raises(StoreError, match="could be kept nowhere"):
            made.end("failed")


def test_a_damaged_file_stays_and_is_named(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    made, run, _ = spilled(url)
    made.close()
    with made.files[0].open("ab") as more:
        more.write(b'[1]\n{"row": 3, "blob": "?"}\nnot JSON\n')
    with open_store(url) as store:
        assert store.run(run).run == run
    told = capfd.readouterr().err
    assert f"{made.files[0]} could not be put back into" in told and "is damaged" in told
    assert made.files[0].exists()
