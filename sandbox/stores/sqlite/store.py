"""Runs in one SQLite file: the default store, for one machine.

The file is in WAL mode, so readers of this and of other processes do not wait for the writer. When `write`
returns, its pages are in the operating system's hands: the death of this process, kill -9 included, takes
nothing back. Only a power cut can take the last commits (`synchronous=NORMAL`), and it too leaves a sound
file. A network drive is no place for it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from riskbox.sandbox.contracts.store import ALL, AS_STORED, Packed, Store, Where
from riskbox.sandbox.errors import InputError, StoreVersion, UnknownName
from riskbox.sandbox.stores import plan as plans
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.shared import (
    FIELDS,
    Added,
    assessed,
    chosen,
    identity,
    is_news,
    label,
    located,
    manifest,
    no_episode,
    no_run,
    require_facet,
    resummarised,
    wanted_facets,
)
from riskbox.sandbox.stores.sqlite import clause, heart, removal, schema
from riskbox.sandbox.stores.sqlite.identity import SHORTEST, Identity, orphans, remove_orphans
from riskbox.sandbox.stores.sqlite.schema import APPLICATION, INSERT, MOVE_ON, SUPERSEDE, upgrade
from riskbox.sandbox.stores.sqlite.wrong import MAGIC, PATIENCE, WRONG, told
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import Order
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.verdict import Assessment

PAGE = 500
"""Rows read at once."""


class SqliteStore(Store):
    """Runs in one file. Threads share the object: one connection, one statement at a time."""

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        self.url = f"sqlite:///{self.path}"
        self._lock = threading.RLock()
        self._held: dict[str, str] = {}
        self._reader = record.RowReader()
        if create:
            self._make_folder()
        elif not self.path.exists():
            raise InputError(
                f"there is no store {str(self.path)!r}. Run `riskbox run` first, or name another file."
            )
        self._refuse_text()
        with told(self.path):
            if create and not self.path.exists():
                self._make_file()
            self._db = self._opened(create)
        self._identity = Identity(self.path)
        try:
            self._prepare(create)
        except BaseException:
            self._db.close()
            raise

    def begin(self, manifest: Manifest, cases: Iterable[Case], specs: Sequence[Spec]) -> None:
        """Create a run with all it will play."""
        packed = [(_text(case.hash), record.pack(case)) for case in cases]
        run, plan = _text(manifest.run), plans.packed(specs)
        with self._writing() as db:
            if db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
                raise InputError(f"{self.url} already has a run {manifest.run!r}.")
            db.execute(
                "INSERT INTO runs (run, created, state, manifest) VALUES (?, ?, ?, ?)",
                (run, _text(manifest.created), manifest.state, record.text(manifest)),
            )
            db.execute("INSERT INTO specs VALUES (?, ?)", (run, plan))
            db.executemany("INSERT OR IGNORE INTO cases VALUES (?, ?)", packed)

    def write(self, run: str, episodes: Sequence[Packed]) -> int:
        """Store finished episodes, all or none; a superseding attempt is not counted as new."""
        key = _text(run)
        with self._writing(run) as db:
            (cursor,) = db.execute(
                "SELECT coalesce(max(cursor), 0) FROM episodes WHERE run = ?", (key,)
            ).fetchone()
            return sum(_store(db, key, number, one) for number, one in enumerate(episodes, cursor + 1))

    def assess(self, run: str, episode: str, assessments: Sequence[Assessment]) -> None:
        """Add assessments to a stored episode; each replaces one of its evaluator, version and settings."""
        key = (_text(run), _text(episode))
        with self._writing(run) as db:
            former = self._row(db, run, episode)
            row = resummarised(former, assessments)
            if is_news(former, assessments):
                db.execute(MOVE_ON, (key[0], *key))
            db.execute(
                "UPDATE episodes SET row = ?, label = ?, harm = ?, unjudged = ? WHERE run = ? AND id = ?",
                (record.row_text(row), *_assessed_facets(row), *key),
            )
            db.executemany(
                "INSERT OR REPLACE INTO assessments VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (*key, *map(_text, identity(one)), record.pack(Added(assessment=one)))
                    for one in assessments
                ],
            )

    def finish(self, run: str, state: RunState) -> None:
        """Say how a run ended, or with `running` that it goes on."""
        with self._writing(run) as db:
            db.execute("UPDATE runs SET state = ? WHERE run = ?", (state, _text(run)))
            if state != "running":
                db.execute("DELETE FROM heartbeats WHERE run = ?", (_text(run),))
                self._held.pop(run, None)

    def beat(self, run: str, heartbeat: Heartbeat, *, take: bool = False) -> Heartbeat | None:
        """Say that a driver plays a run, and take the run for it the first time."""
        with self._writing(run) as db:
            other = heart.beat(db, _text(run), heartbeat, self.now(), take=take)
            if other is None:
                self._held[run] = heartbeat.driver
            return other

    def heartbeat(self, run: str) -> Heartbeat | None:
        """The last heartbeat of whoever plays a run."""
        with self._reading() as db:
            self._require(db, run)
            return heart.last(db, _text(run))

    def now(self) -> float:
        """The time of this machine's clock."""
        return time.time()

    def runs(self) -> list[Manifest]:
        """Every run, latest first."""
        with self._reading() as db:
            found = db.execute(f"{heart.RUNS} ORDER BY created DESC, place DESC").fetchall()
        with located(self.url):
            return [manifest(text, state, beat, self.now()) for text, state, beat in found]

    def run(self, name: str = "latest") -> Manifest:
        """One run: by id, by the beginning of one, by name, or the latest."""
        with self._reading() as db:
            found = db.execute(f"{heart.RUNS} WHERE runs.run = ?", (_text(name),)).fetchone()
        if found is None:
            return chosen(name, self.runs(), self.url, self.count)
        with located(self.url):
            return manifest(found[0], found[1], found[2], self.now())

    def specs(self, run: str) -> list[Spec]:
        """All that a run was to play, in order."""
        with self._reading() as db:
            self._require(db, run)
            (blob,) = db.execute("SELECT blob FROM specs WHERE run = ?", (_text(run),)).fetchone()
        with located(f"{self.url}, run {run}"):
            return plans.unpacked(blob)

    def done(self, run: str) -> set[str]:
        """The ids of the episodes a run has stored."""
        with self._reading() as db:
            self._require(db, run)
            return {id for (id,) in db.execute("SELECT id FROM episodes WHERE run = ?", (_text(run),))}

    def count(self, run: str, where: Where = ALL) -> int:
        """How many rows fit."""
        condition, values = _condition(run, where)
        with self._reading() as db:
            self._require(db, run)
            (fitting,) = db.execute(f"SELECT count(*) FROM episodes WHERE {condition}", values).fetchone()
        return int(fitting)

    def rows(
        self,
        run: str,
        where: Where = ALL,
        *,
        offset: int = 0,
        limit: int | None = None,
    ) -> Iterator[EpisodeRow]:
        """The rows that fit, in the order they were stored, read as they are iterated.

        Which rows fit is settled at the call. A later attempt takes the place of the one it supersedes.
        """
        condition, values = _condition(run, where)
        slice_ = (-1 if limit is None else limit, offset)
        with self._reading() as db:
            self._require(db, run)
            found = db.execute(
                f"SELECT place FROM episodes WHERE {condition} ORDER BY place LIMIT ? OFFSET ?",
                (*values, *slice_),
            ).fetchall()
        return self._rows_at([place for (place,) in found])

    def ids(
        self, run: str, where: Where = ALL, order: Order = AS_STORED, *, limit: int | None = None
    ) -> list[str]:
        """The ids of the rows that fit, sorted; the first of them, with a limit."""
        require_facet(order)
        condition, values = _condition(run, where)
        with self._reading() as db:
            self._require(db, run)
            found = db.execute(
                f"SELECT id FROM episodes WHERE {condition} ORDER BY {clause.ordering(order)} LIMIT ?",
                (*values, -1 if limit is None else limit),
            )
            return [id for (id,) in found]

    def pick(self, run: str, ids: Sequence[str]) -> list[EpisodeRow]:
        """The rows of these ids, in this order; ids that the run does not have are left out."""
        found: dict[str, str] = {}
        with self._reading() as db:
            self._require(db, run)
            for start in range(0, len(ids), PAGE):
                page = [_text(id) for id in ids[start : start + PAGE]]
                found.update(
                    db.execute(
                        f"SELECT id, row FROM episodes WHERE run = ? AND id IN ({_marks(page)})",
                        (_text(run), *page),
                    )
                )
        with located(f"{self.url}, run {run}"):
            return [self._reader.read(found[_text(id)]) for id in ids if _text(id) in found]

    def cursor(self, run: str) -> int:
        """From where `follow` sees only what will be stored from now on."""
        with self._reading() as db:
            self._require(db, run)
            (cursor,) = db.execute(
                "SELECT coalesce(max(cursor), 0) FROM episodes WHERE run = ?", (_text(run),)
            ).fetchone()
        return int(cursor)

    def follow(self, run: str, after: int = 0) -> tuple[list[EpisodeRow], int]:
        """The rows stored since a cursor, and the next cursor; begin at 0."""
        with self._reading() as db:
            self._require(db, run)
            found = db.execute(
                "SELECT row, cursor FROM episodes WHERE run = ? AND cursor > ? ORDER BY cursor",
                (_text(run), after),
            ).fetchall()
        with located(f"{self.url}, run {run}"):
            return [self._reader.read(row) for row, _ in found], found[-1][1] if found else after

    def episode(self, run: str, id: str) -> Played:
        """One episode with its assessments."""
        key = (_text(run), _text(id))
        with self._reading() as db:
            row = self._row(db, run, id)
            (blob,) = db.execute(
                "SELECT blob FROM episodes JOIN blobs USING (place) WHERE run = ? AND id = ?", key
            ).fetchone()
            later = db.execute("SELECT blob FROM assessments WHERE run = ? AND episode = ?", key).fetchall()
        with located(f"{self.url}, run {run}, episode {id}"):
            added = [record.unpack(Added, one).assessment for (one,) in later]
            return assessed(self._unpacked(blob), row, added)

    def _unpacked(self, blob: bytes) -> Played:
        return record.unpack(Played, blob)

    def find(self, id: str) -> list[tuple[str, str]]:
        """(run, id) of every episode whose id begins so, latest run first."""
        first = _text(id)
        with self._reading() as db:
            return db.execute(
                "SELECT run, id FROM episodes JOIN runs USING (run) WHERE id >= ? AND id < ? "
                "ORDER BY created DESC, runs.place DESC, episodes.place",
                (first, first + "\U0010ffff"),
            ).fetchall()

    def case(self, hash: str) -> Case:
        """A case by its hash."""
        with self._reading() as db:
            found = db.execute("SELECT blob FROM cases WHERE hash = ?", (_text(hash),)).fetchone()
        if found is None:
            raise UnknownName(f"no run in {self.url} has played a case {hash!r}.")
        with located(f"{self.url}, case {hash}"):
            return record.unpack(Case, found[0])

    def remove(self, run: str) -> None:
        """Remove a run with its episodes, and the cases that no other run has."""
        with self._writing(run) as db:
            removal.remove(db, _text(run))

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._db.close()

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.path} cannot be made: {error}. Name another file.") from None

    def _make_file(self) -> None:
        """Make the file aside and link it into place, so that whoever finds it finds it whole."""
        path = Path(os.path.realpath(self.path))
        left = orphans(path)
        # Another process may be first, the file system may know no links, or the folder be closed: opening
        # then takes what is there, makes the file in its place, or says why it cannot.
        with (
            suppress(OSError),
            TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder,
        ):
            aside = Path(folder) / path.name
            with closing(sqlite3.connect(aside, isolation_level=None)) as db:
                # an episode takes about a third of the usual page, of which a quarter would lie idle
                db.execute("PRAGMA page_size = 16384")
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("BEGIN")
                upgrade(db, 0)
                db.execute("COMMIT")
            remove_orphans(path, left)
            os.link(aside, path)  # closing has written all of it to the disk

    def _refuse_text(self) -> None:
        """Refuses a file that is not SQLite's but so short that SQLite would take it for an empty one."""
        if not self.path.is_file() or not os.access(self.path, os.R_OK):
            return
        if self.path.stat().st_size >= SHORTEST:
            return  # for SQLite to look at: a file that is closed loses the locks that this process has on it
        with self.path.open("rb") as file:
            if file.read(len(MAGIC)) not in (b"", MAGIC):
                raise InputError(f"{self.path} {WRONG['SQLITE_NOTADB'][1]}")

    def _opened(self, create: bool) -> sqlite3.Connection:
        try:
            return self._connected("mode=rwc" if create else "mode=rw")
        except sqlite3.OperationalError:
            # SQLite reads a WAL file only if it can write beside it, unless told that nobody else will
            if not self.path.is_file() or self.path.with_name(self.path.name + "-wal").exists():
                raise
            return self._connected("immutable=1")

    def _connected(self, how: str) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?{how}"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, create: bool) -> None:
        with told(self.path):
            version = self._version(create)
            for pragma in ("foreign_keys = ON", "synchronous = NORMAL", "journal_mode = WAL"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
        if version < len(schema.MIGRATIONS):
            self._migrate(create)

    def _version(self, create: bool) -> int:
        """The schema's version, once it is sure that the schema is ours."""
        version, owner, tables = self._db.execute(
            "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master) "
            "FROM pragma_user_version, pragma_application_id"
        ).fetchone()
        if owner != APPLICATION and (tables or version or owner):
            raise InputError(f"{self.path} is an SQLite file of another program. Name another file.")
        if not tables and not create:
            raise InputError(f"{self.path} is empty. Run `riskbox run` first, or name another file.")
        if version > len(schema.MIGRATIONS):
            raise StoreVersion(
                f"{self.path} has schema version {version}, and this release reads up to {len(schema.MIGRATIONS)}. "
                "Upgrade riskbox to read it."
            )
        return int(version)

    def _migrate(self, create: bool) -> None:
        with self._writing() as db:
            upgrade(db, self._version(create))  # read again under the lock: another may have been first

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, seeing one state of the file throughout."""
        with self._transaction("BEGIN") as db:
            yield db

    @contextmanager
    def _writing(self, run: str | None = None) -> Iterator[sqlite3.Connection]:
        """The connection, with the only right to write; what is done within is stored as a whole or not.

        Where it is done to a run, the run must be there, and held by whoever took it through this object.
        """
        with self._transaction("BEGIN IMMEDIATE") as db:
            self._identity.check(db)
            if run is not None:
                self._require(db, run)
                heart.require_held(db, _text(run), self._held.get(run), self.now())
            yield db
        with self._lock:
            self._identity.check(self._db)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, told(self.path):
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite itself rolls back after some errors
                    self._db.execute("ROLLBACK")
                raise

    def _require(self, db: sqlite3.Connection, run: str) -> None:
        if not db.execute("SELECT 1 FROM runs WHERE run = ?", (_text(run),)).fetchone():
            raise no_run(run, [known for (known,) in db.execute("SELECT run FROM runs")], self.url)

    def _row(self, db: sqlite3.Connection, run: str, id: str) -> EpisodeRow:
        found = db.execute(
            "SELECT row FROM episodes WHERE run = ? AND id = ?", (_text(run), _text(id))
        ).fetchone()
        if found is None:
            self._require(db, run)
            raise no_episode(run, id)
        with located(f"{self.url}, run {run}, episode {id}"):
            return record.parse(EpisodeRow, found[0])

    def _rows_at(self, places: list[int]) -> Iterator[EpisodeRow]:
        for start in range(0, len(places), PAGE):
            page = places[start : start + PAGE]
            with self._reading() as db:
                found = db.execute(
                    f"SELECT row FROM episodes WHERE place IN ({_marks(page)}) ORDER BY place", page
                ).fetchall()
            with located(self.url):
                yield from [self._reader.read(row) for (row,) in found]


def _store(db: sqlite3.Connection, run: str, cursor: int, one: Packed) -> bool:
    """Insert or supersede one episode; whether it is new."""
    row, id = one.row, _text(one.row.id)
    stored = db.execute("SELECT place, attempt FROM episodes WHERE run = ? AND id = ?", (run, id)).fetchone()
    if stored is None:
        place = db.execute(
            INSERT, (run, id, row.attempt, cursor, record.row_text(row), *_facets(row))
        ).lastrowid
        db.execute("INSERT INTO blobs VALUES (?, ?)", (place, one.blob))
        return True
    if row.attempt > stored[1]:
        db.execute(SUPERSEDE, (row.attempt, cursor, record.row_text(row), *_facets(row), run, id))
        db.execute("UPDATE blobs SET blob = ? WHERE place = ?", (one.blob, stored[0]))
        db.execute("DELETE FROM assessments WHERE run = ? AND episode = ?", (run, id))
    return False


def _facets(row: EpisodeRow) -> list[str | int | None]:
    return [*(_text(getattr(row, name)) for name in FIELDS), *_assessed_facets(row)]


def _assessed_facets(row: EpisodeRow) -> tuple[str | None, int, int | None]:
    return label(row), clause.harm(row), 1 if row.unjudged else None


def _condition(run: str, where: Where) -> tuple[str, list[str | float]]:
    """A filter as SQL, with the values for its question marks."""
    parts: list[str] = ["run = ?"]
    values: list[str | float] = [_text(run)]
    for name, wanted in wanted_facets(where).items():
        parts.append(f'"{name}" IN ({_marks(wanted)})')
        values += map(_text, wanted)
    if where.text:
        parts.append('(instr(id, ?) OR instr("case", ?))')
        values += [_text(where.text)] * 2
    for term in where.terms:
        part, given = clause.condition(term)
        parts.append(part)
        values += [_text(one) if isinstance(one, str) else one for one in given]
    return " AND ".join(parts), values


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _text(value: str) -> str:
    # SQLite holds no lone surrogates; only columns are compared by this, records keep what was written
    return value.encode("utf-8", "backslashreplace").decode()
