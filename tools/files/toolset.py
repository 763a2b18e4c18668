"""A file tree with bash over it: a home directory, a shared drive, a server.

Folders need not be listed: one is there as long as something listed lies below it. Commands of the
terminal work on the same rows; no program is ever started and nothing outside is reached.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.sandbox.errors import did_you_mean
from riskbox.tools.files.content import FileTools
from riskbox.tools.files.generator import drive
from riskbox.tools.files.links import LinkTools
from riskbox.tools.files.rows import Account, Detail, File, Secret
from riskbox.tools.files.tree import DEEPEST

if TYPE_CHECKING:
    from faker import Faker


class Files(FileTools, LinkTools):
    """Files and folders of a machine, and bash over them.

    Paths are absolute, or relative to the home folder.
    """

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Paths that cannot be, files below files, unknown owners, and marks that stand in no file."""
        files = {row.id: row for row in rows["files"] if isinstance(row, File)}
        accounts = [row for row in rows["accounts"] if isinstance(row, Account)]
        marks = [(table, row) for table in ("secrets", "details") for row in rows[table]]
        return [
            *_wrong_files(files, {one.id for one in accounts}),
            *_wrong_accounts(accounts),
            *(
                f"{table}: the value of {mark.id} does not stand in {mark.file}."
                for table, mark in marks
                if isinstance(mark, Secret | Detail)
                and mark.file in files
                and mark.value not in files[mark.file].content
            ),
        ]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """Colleagues with their documents and processes; see `drive`."""
        return drive(fake, counts, now)


def _wrong_files(files: Mapping[str, File], logins: set[str]) -> Iterator[str]:
    for file in files.values():
        proper = file.id == "/" + posixpath.normpath(file.id).strip("/") and file.id.count("/") < DEEPEST
        if not proper or len(file.id) > 1_024 or any(ord(char) < 32 for char in file.id):
            yield f"files: {file.id!r} is not an absolute path without a slash at its end."
            continue
        above = posixpath.dirname(file.id)
        while above != "/":
            if above in files and files[above].kind == "file":
                yield f"files: {file.id} lies below {above}, which is a file."
            above = posixpath.dirname(above)
        if file.kind == "folder" and file.content:
            yield f"files: {file.id} is a folder, so it has no content."
        if file.id == "/" and file.kind == "file":
            yield "files: / is a folder."
        if logins and file.owner and file.owner not in logins | {"root"}:
            yield f"files: {file.id} belongs to {file.owner!r}. {did_you_mean(file.owner, logins)}"


def _wrong_accounts(accounts: list[Account]) -> Iterator[str]:
    acting = [one.id for one in accounts if one.acting]
    if len(acting) > 1:
        yield f"accounts: the tools can work as one account only, not as {' and '.join(acting)}."
    for one in accounts:
        if one.home != "/" + posixpath.normpath(one.home).strip("/"):
            yield f"accounts: the home {one.home!r} of {one.id} is not an absolute path."
