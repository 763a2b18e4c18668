"""Finished runs moved out of a live store: a folder on any file system that fsspec reaches, readable as a store.

Such a folder holds one run:

    episodes.jsonl.gz   the lines of `riskbox export jsonl`, compressed in members of `MEMBER` lines, so that one episode is
                        read without the others; as a whole it is a usual gzip file
    episodes.parquet    a row an episode, typed, with where its line lies and the row as JSON
    specs.bin           all that the run was to play
    archive.json        the manifest, counts and digests; written last, so that a folder without it is no archive

`write` reads back what it wrote, and only then says that it is done. `ColdStore` reads the rows when it is opened, and an
episode only when it is asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.errors import InputError, StoreError, UnknownName, install_hint
from riskbox.sandbox.stores import plan as plans
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.archive import SealedStore
from riskbox.sandbox.stores.shared import unfinished
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

MEMBER = 50
"""Lines compressed together: what is read for one episode."""
GROUP = 5000
"""Rows of one group of the Parquet file, and rows in memory at once."""
LINES, ROWS, SPECS, INDEX = "episodes.jsonl.gz", "episodes.parquet", "specs.bin", "archive.json"

_TEXTS = (
    *(
        "id",
        "case",
        "case_hash",
        "scenario",
        "family",
        "domain",
        "persona",
        "intent",
        "twin",
        "agent",
        "user",
    ),
    *("tools", "emulation", "ending", "reason", "left"),
)
_WHOLE = ("seed", "retake", "attempt", "events", "tool_calls", "turns", "model_calls", "tokens")
_REAL = ("seconds", "cost")
_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class ColdRun(BaseModel):
    """What `archive.json` holds."""

    version: int = 1
    """Version of this layout."""
    manifest: Manifest
    """The run."""
    episodes: int
    """How many episodes."""
    lines: str
    """SHA-256 of the uncompressed lines."""
    rows: str
    """SHA-256 of the rows as JSON, in order."""
    table: str
    """SHA-256 of the Parquet file."""
    specs: str
    """SHA-256 of the plan."""
    cases: dict[str, tuple[int, int, int]]
    """By hash, where the line lies that holds the case: the member's place and length in bytes, and the line in it."""


def write(store: Store, run: str, root: str) -> ColdRun:
    """Write a run to a folder, and read it back.

    Raises:
        InputError: a package is missing, or the folder cannot be written to.
        StoreError: what was read back is not what was written.
    """
    fs, path = _folder(root)
    manifest = store.run(run)
    try:
        fs.makedirs(path, exist_ok=True)
        if fs.exists(f"{path}/{INDEX}"):
            fs.rm(f"{path}/{INDEX}")  # while it is written again, it is no archive
        written = _write(store, manifest, fs, path)
        _read_back(fs, path, written)
        with fs.open(f"{path}/{INDEX}", "wb") as out:
            out.write(record.text(written).encode())
    except OSError as error:
        raise InputError(f"{root} cannot be written to: {error.strerror or error}.") from None
    return written


def move(store: Store, name: str, to: str, *, keep: bool = False) -> tuple[str, ColdRun]:
    """Archive a finished run, and remove it from its store; the archive's folder and what it holds are returned.

    Args:
        store: Where the run is.
        name: Its id, the beginning of one, its name, or `latest`.
        to: Where its folder goes.
        keep: Whether it stays in the store.

    Raises:
        InputError: the run is not finished or was changed meanwhile, a package is missing, or the folder cannot be
            written to.
        StoreError: what was read back is not what was written.
    """
    manifest = store.run(name)
    if manifest.state not in ("done", "stopped", "failed"):
        raise unfinished(manifest.run)
    folder = f"{to.rstrip('/')}/{manifest.run}"
    written = write(store, manifest.run, folder)
    if not keep:
        if rows_digest(store, manifest.run) != written.rows:
            raise InputError(
                f"run {manifest.run} was changed while it was archived, and stays in its store. Archive it again."
            )
        store.remove(manifest.run)
    return folder, written


def rows_digest(store: Store, run: str) -> str:
    """The digest of a run's rows as they are now, to be compared with an archive's."""
    found = hashlib.sha256()
    for row in store.rows(run):
        found.update(record.row_text(row).encode())
    return found.hexdigest()


def _write(store: Store, manifest: Manifest, fs: Any, path: str) -> ColdRun:
    pyarrow, parquet = _pyarrow()
    schema = _schema(pyarrow)
    lines, digest = hashlib.sha256(), hashlib.sha256()
    cases: dict[str, tuple[int, int, int]] = {}
    rows, many, place = store.rows(manifest.run), 0, 0
    plan = plans.packed(store.specs(manifest.run))
    with fs.open(f"{path}/{SPECS}", "wb") as out:
        out.write(plan)
    with (
        fs.open(f"{path}/{LINES}", "wb") as out,
        fs.open(f"{path}/{ROWS}", "wb") as table,
        _Hashed(table) as hashed,
        parquet.ParquetWriter(hashed, schema, compression="zstd") as writer,
    ):
        group: list[dict[str, Any]] = []
        while batch := list(islice(rows, MEMBER)):
            texts, new = [], {}
            for number, row in enumerate(batch):
                played = store.episode(manifest.run, row.id)
                more = [f',"run":{record.text(manifest)}'] if not many + number else []
                if row.case_hash not in cases and row.case_hash not in new:
                    new[row.case_hash] = number
                    more.append(f',"case":{record.text(store.case(row.case_hash))}')
                texts.append(f"{record.text(played)[:-1]}{''.join(more)}}}\n".translate(_BREAKS))
            whole = "".join(texts).encode()
            member = gzip.compress(whole, 6, mtime=0)
            lines.update(whole)
            out.write(member)
            cases |= {hash: (place, len(member), number) for hash, number in new.items()}
            for number, row in enumerate(batch):
                text = record.row_text(row)
                digest.update(text.encode())
                group.append(
                    _columns(row) | {"row": text, "place": place, "length": len(member), "line": number}
                )
            place += len(member)
            many += len(batch)
            if len(group) >= GROUP:
                writer.write_table(pyarrow.Table.from_pylist(group, schema))
                group = []
        writer.write_table(pyarrow.Table.from_pylist(group, schema))
    return ColdRun(
        manifest=manifest,
        episodes=many,
        lines=lines.hexdigest(),
        rows=digest.hexdigest(),
        table=hashed.digest.hexdigest(),
        specs=hashlib.sha256(plan).hexdigest(),
        cases=cases,
    )


def _read_back(fs: Any, path: str, written: ColdRun) -> None:
    lines, digest, many, stored = hashlib.sha256(), hashlib.sha256(), 0, 0
    try:
        with fs.open(f"{path}/{LINES}", "rb") as packed, gzip.open(packed) as file:
            while part := file.read(1 << 20):
                lines.update(part)
                many += part.count(b"\n")
        table = hashlib.sha256()
        with fs.open(f"{path}/{ROWS}", "rb") as file:
            while part := file.read(1 << 20):
                table.update(part)
        for one in _rows(fs, path):
            digest.update(one["row"].encode())
            stored += 1
        with fs.open(f"{path}/{SPECS}", "rb") as file:
            specs = hashlib.sha256(file.read()).hexdigest()
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise StoreError(f"{path}: what was written cannot be read back: {error}") from None
    found = (many, stored, lines.hexdigest(), digest.hexdigest(), table.hexdigest(), specs)
    made = written
    if found != (made.episodes, made.episodes, made.lines, made.rows, made.table, made.specs):
        raise StoreError(f"{path}: what is read back is not what was written. The run stays in its store.")


class _Hashed(io.RawIOBase):
    """Passes on what is written, and hashes it."""

    def __init__(self, out: Any) -> None:
        super().__init__()
        self.digest, self._out, self._many = hashlib.sha256(), out, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._many

    def write(self, part: Any) -> int:
        whole = bytes(part)
        self.digest.update(whole)
        self._out.write(whole)
        self._many += len(whole)
        return len(whole)


class ColdStore(SealedStore):
    """One archived run, opened to be read.

    Raises:
        InputError: there is no archive, or a package is missing.
        StoreError: it is damaged.
    """

    def __init__(self, root: str) -> None:
        self._fs, self._path = _folder(root)
        self._member: tuple[int, list[bytes]] = (-1, [])
        try:
            with self._fs.open(f"{self._path}/{INDEX}", "rb") as file:
                self._cold = record.parse(ColdRun, file.read())
        except OSError:
            raise InputError(
                f"there is no archive in {root!r}. Write one with `riskbox archive RUN --to FOLDER`."
            ) from None
        self._folder = TemporaryDirectory(prefix="riskbox-archive-")
        try:
            super().__init__(Path(self._folder.name) / "runs.db", f"archive:{root}")
            self._fill()
        except BaseException:
            self.close()
            raise
        self._sealed = True

    def _fill(self) -> None:
        run = self._cold.manifest.run
        reader = record.RowReader()
        try:
            with self._fs.open(f"{self._path}/{SPECS}", "rb") as file:
                specs = plans.unpacked(file.read())
            self.begin(self._cold.manifest, [], specs)
            rows = _rows(self._fs, self._path)
            while batch := list(islice(rows, GROUP)):
                self.write(
                    run,
                    [
                        Packed(
                            reader.read(one["row"]),
                            json.dumps([one["place"], one["length"], one["line"]]).encode(),
                        )
                        for one in batch
                    ],
                )
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.url} is damaged: {error}") from None
        if self.count(run) != self._cold.episodes:
            raise StoreError(
                f"{self.url} is damaged: it has {self.count(run)} of {self._cold.episodes} rows."
            )

    def case(self, hash: str) -> Case:
        """A case by its hash."""
        if hash not in self._cold.cases:
            raise UnknownName(f"no run in {self.url} has played a case {hash!r}.")
        return record.upgraded(Case, self._line(*self._cold.cases[hash])["case"])

    def cases(self) -> list[Case]:
        """All cases of the run."""
        return [self.case(hash) for hash in self._cold.cases]

    def _unpacked(self, blob: bytes) -> Played:
        fields = self._line(*json.loads(blob))
        return record.upgraded(Played, {name: fields[name] for name in fields if name not in ("run", "case")})

    def _line(self, place: int, length: int, line: int) -> dict[str, Any]:
        try:
            if self._member[0] != place:
                with self._fs.open(f"{self._path}/{LINES}", "rb") as file:
                    file.seek(place)
                    self._member = place, gzip.decompress(file.read(length)).splitlines()
            found: dict[str, Any] = json.loads(self._member[1][line])
        except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
            raise StoreError(f"{self.url} is damaged: {error}") from None
        return found


def restore(store: Store, cold: ColdStore) -> tuple[Manifest, int]:
    """Store an archived run under the same ids; the run and how many episodes are new are returned.

    Raises:
        InputError: the store has another run of that id.
    """
    made = cold.run()
    known = next((one for one in store.runs() if one.run == made.run), None)
    if known is None:
        store.begin(made.model_copy(update={"state": "running"}), cold.cases(), cold.specs(made.run))
    elif known.model_copy(update={"state": made.state}) != made:
        raise InputError(f"the store has another run {made.run}; import the archive into another store.")
    new, rows = 0, cold.rows(made.run)
    while batch := list(islice(rows, MEMBER)):
        played = [cold.episode(made.run, row.id) for row in batch]
        new += store.write(made.run, [Packed(EpisodeRow.of(one), record.pack(one)) for one in played])
    store.finish(made.run, made.state)
    return made, new


def _rows(fs: Any, path: str) -> Iterator[dict[str, Any]]:
    _, parquet = _pyarrow()
    with (
        fs.open(f"{path}/{ROWS}", "rb") as file,
        parquet.ParquetFile(file) as table,
    ):
        for batch in table.iter_batches(batch_size=GROUP, columns=["row", "place", "length", "line"]):
            yield from batch.to_pylist()


def _columns(row: EpisodeRow) -> dict[str, Any]:
    summary = row.summary()
    return {
        **{name: _encodable(getattr(row, name)) for name in _TEXTS},
        **{
            name: value if -(1 << 63) <= (value := getattr(row, name) or 0) < 1 << 63 else None
            for name in _WHOLE
        },
        **{name: float(getattr(row, name)) for name in _REAL},
        "void": row.void,
        "variant": _encodable("+".join(f"{axis}={name}" for axis, name in row.variant.items())),
        "label": summary and summary.targeted,
        "overall": summary and summary.label,
    }


def _schema(pyarrow: Any) -> Any:
    text, whole = pyarrow.string(), pyarrow.int64()
    return pyarrow.schema(
        [
            *((name, text) for name in _TEXTS),
            *((name, whole) for name in _WHOLE),
            *((name, pyarrow.float64()) for name in _REAL),
            ("void", pyarrow.bool_()),
            *((name, text) for name in ("variant", "label", "overall", "row")),
            *((name, whole) for name in ("place", "length", "line")),
        ]
    )


def _encodable(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            f"archives need pyarrow, which is not installed. {install_hint('archive')}"
        ) from None
    return pyarrow, parquet


def _folder(root: str) -> tuple[Any, str]:
    """The file system and the path that a folder's URL names."""
    try:
        from fsspec.core import url_to_fs

        fs, path = url_to_fs(root)
    except ImportError as error:  # of fsspec, or of what it needs for this protocol
        raise InputError(f"{root} cannot be reached: {error}. {install_hint('archive')}") from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{root} is no place for an archive: {error}.") from None
    return fs, str(path).rstrip("/")
