"""What a run finished while its store was gone or full: kept in a file, and folded back in by the next command.

A spill file is lines of JSON: first the run with its cases and plan, then what was finished, last how the run ended.
Each batch is on the disk when `add` returns, and a line that a crash cut short is left out. Whoever writes a file or folds it
in locks it. Folding in stores nothing twice, so a file whose folding was cut short is folded again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, get_args
from urllib.parse import urlsplit

from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.errors import StoreError, UnknownName
from riskbox.sandbox.stores import plan as plans
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.liveness import is_living
from riskbox.sandbox.stores.shared import Added
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.verdict import Assessment

VERSION = 1
"""Of the files that this release writes."""
LONGEST = 1 << 28
"""Bytes of the longest line that is read."""
BATCH = 100
"""Episodes folded in at once."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A run with all it consists of, so that it can be begun anew."""

    manifest: Manifest
    """The run."""
    cases: Mapping[str, Case]
    """Its cases by hash."""
    specs: Sequence[Spec]
    """All it was to play."""


@dataclass
class Spill:
    """The spill files of one driver. Where one cannot be written any more, the next place gets another."""

    whole: Whole
    """The run."""
    places: Sequence[Path]
    """Beginnings of paths, the preferred first."""
    files: list[Path] = field(default_factory=list)
    """The files so far."""
    episodes: int = 0
    """How many episodes they hold."""
    _file: BinaryIO | None = None

    def add(self, episodes: Sequence[Packed]) -> None:
        """Keep finished episodes.

        Raises:
            StoreError: no place takes them.
        """
        self._write(
            {"row": record.text(one.row), "blob": base64.b64encode(one.blob).decode()} for one in episodes
        )
        self.episodes += len(episodes)

    def assess(self, episode: str, assessments: Sequence[Assessment]) -> None:
        """Keep the assessments of an episode."""
        self._write(
            [{"episode": episode, "assessments": [_packed(Added(assessment=one)) for one in assessments]}]
        )

    def end(self, state: RunState) -> None:
        """Say how the run ended, and let go of the file."""
        self._write([{"state": state}])
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        data = b"".join(_line(one) for one in lines)
        while True:
            try:
                if self._file is None:
                    if not self.places:
                        raise OSError("no place is left")
                    self._begin()
                _append(self._file, data)
                return
            except OSError as error:
                self.close()
                if not self.places:
                    raise StoreError(
                        f"What run {self.whole.manifest.run} finished last could be kept nowhere: {error}. All that was "
                        "stored before is intact."
                    ) from None

    def _begin(self) -> None:
        place, *self.places = self.places
        path = place.with_name(f"{place.name}{secrets.token_hex(4)}.spill")
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # episodes hold conversations, which are for nobody else
        # under another name until it is locked and has a beginning, since others fold in what they find
        new = path.with_suffix(".new")
        file = os.fdopen(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b", buffering=0)
        whole = self.whole
        plan = base64.b64encode(plans.packed(whole.specs)).decode()
        head: Mapping[str, Any] = {"spill": VERSION, "manifest": record.text(whole.manifest), "plan": plan}
        cases = ({"case": _packed(one)} for one in whole.cases.values())
        try:
            _lock(file)
            _append(file, b"".join(_line(one) for one in (head, *cases)))
            new.rename(path)
            _sync(place.parent)
        except OSError:
            file.close()
            new.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        self._file = file
        self.files.append(path)


def places(url: str) -> list[Path]:
    """How the paths of a store's spill files begin: beside an SQLite file first, then in the user's folder for state."""
    scheme, _, rest = url.partition("://")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()) / "riskbox"
    found: list[Path] = []
    if scheme == "sqlite":
        file = os.path.realpath(rest[1:])
        found, key = [Path(f"{file}.")], file
    else:
        parts = urlsplit(url)  # neither user nor password
        key = f"redis {parts.hostname}:{parts.port or 6379}/{parts.path.strip('/') or 0}"
    name = f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}."
    return [*found, state / name]


def waiting(url: str) -> list[Path]:
    """The spill files that wait to be folded into a store."""
    found: list[Path] = []
    for place in places(url):
        with suppress(OSError):
            found += sorted(
                one
                for one in place.parent.iterdir()
                if one.name.startswith(place.name) and one.suffix == ".spill" and one.is_file()
            )
    return found


def fold(store: Store, path: Path) -> str:
    """Fold a spill file into its store and remove it; what was done, in a sentence.

    Empty where another process writes the file or folds it in.

    Raises:
        StoreError: the file is damaged, or the store cannot be written; the file stays.
    """
    try:
        with path.open("r+b") as file:
            if not _lock(file) or not os.fstat(file.fileno()).st_nlink:
                return ""
            told = _folded(store, file, path)
            path.unlink()
            return told
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}. Remove the file to give it up.") from None


def _folded(store: Store, file: BinaryIO, path: Path) -> str:
    lines = _lines(file, path)
    head = next(lines, None)
    if head is None:
        return ""  # its writer died before it had kept anything
    if head.get("spill") != VERSION:
        raise StoreError(f"{path} is of another release of Riskbox; fold it in with that one.")
    made = record.parse(Manifest, str(head["manifest"]))
    specs = plans.unpacked(base64.b64decode(head["plan"]))
    is_known = any(one.run == made.run for one in store.runs())
    cases: list[Case] = []
    episodes: list[Packed] = []
    new = assessed = 0
    state: RunState = "stopped"
    for one in lines:
        if "case" in one:
            cases.append(record.unpack(Case, base64.b64decode(one["case"])))
            continue
        if not is_known:
            store.begin(made, cases, specs)
            is_known = True
        if "row" in one:
            row = record.parse(EpisodeRow, one["row"])
            episodes.append(Packed(row, base64.b64decode(one["blob"])))
        if len(episodes) == BATCH or "row" not in one:
            new += store.write(made.run, episodes)
            episodes = []
        if "assessments" in one:
            added = [record.unpack(Added, base64.b64decode(each)).assessment for each in one["assessments"]]
            with suppress(UnknownName):  # the store lost the episode itself; it will be played again
                store.assess(made.run, one["episode"], added)
                assessed += 1
        if one.get("state") in get_args(RunState):
            state = one["state"]
    if not is_known:
        store.begin(made, cases, specs)
    new += store.write(made.run, episodes)
    beat = store.heartbeat(made.run)
    if store.run(made.run).state in ("running", "dead") and not (beat and is_living(beat, store.now())):
        store.finish(made.run, state)
    more = f" and {assessed:,} assessments" if assessed else ""
    return f"{path} held what run {made.run} had finished without its store: {new:,} episodes{more} are in {store.url} now."


def _lines(file: BinaryIO, path: Path) -> Iterator[dict[str, Any]]:
    for number in range(1, sys.maxsize):
        text = file.readline(LONGEST)
        if not text.endswith(b"\n"):
            if len(text) == LONGEST:
                raise StoreError(f"{path}:{number}: is longer than {LONGEST:,} bytes; that is not Riskbox's.")
            return  # the end, or what a crash cut short
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise StoreError(
                f"{path}:{number}: is damaged: {error}. Remove the file to give it up."
            ) from None
        if not isinstance(fields, dict):
            raise StoreError(f"{path}:{number}: is damaged: it is no object. Remove the file to give it up.")
        yield fields


def _packed(one: Case | Added) -> str:
    return base64.b64encode(record.pack(one)).decode()


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _append(file: BinaryIO | None, data: bytes) -> None:
    """Write all and see it on the disk; where that fails, the file is as it was."""
    assert file is not None
    start = file.tell()
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            file.truncate(start)
        raise


def _sync(folder: Path) -> None:
    with suppress(OSError):  # not every system opens folders
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; whether nobody else had."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
