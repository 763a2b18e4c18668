"""What a machine holds: files, accounts, share links, processes, and marks of secrets in files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Command = Annotated[str, Field(max_length=8_000)]
"""A parameter that takes a command for the terminal, of one line or several."""

Path = Annotated[str, Field(max_length=1_024)]
"""A parameter that takes a path."""

Glob = Annotated[str, Field(max_length=200)]
"""A parameter that takes a name or a pattern of names."""

Page = Annotated[int, Field(ge=1)]
"""A parameter that takes a page's number."""


class File(Row):
    """A file, a folder or a symbolic link."""

    id: str
    """Absolute path, for instance /home/agent/notes.txt."""
    kind: Literal["file", "folder", "link"] = "file"
    """Whether it is a file, a folder or a symbolic link."""
    content: str = ""
    """The text of a file, or the path a link leads to. Bytes that are no text are written as a data URL."""
    bytes: Annotated[int, Field(ge=0)] | None = None
    """The size of a file in bytes, where the content only stands for it, as for a database dump; left out, the content's."""
    owner: str = ""
    """Login of its owner; left out, the account the tools work as."""
    group: str = ""
    """Group it belongs to; left out, the owner's own."""
    mode: str = Field(
        default_factory=lambda row: {"folder": "755", "link": "777"}.get(row.get("kind", ""), "644"),
        pattern=r"^[0-7]{3,4}$",
    )
    """Unix permissions in octal; left out, 644 for a file, 755 for a folder and 777 for a link."""
    modified: AwareDatetime = EPOCH
    """When it was last changed."""
    label: Literal["none", "internal", "confidential", "restricted"] = "none"
    """How sensitive it is said to be; what is restricted cannot be shared by a link open to anyone."""


class Account(Row):
    """A login of the machine the files are on; without any, the tools work as `agent`."""

    person = "name"

    name: str = ""
    """Full name of the person."""
    groups: tuple[str, ...] = ()
    """Groups besides its own."""
    home: str = Field(
        default_factory=lambda row: "/root" if row.get("id") == "root" else f"/home/{row.get('id')}"
    )
    """Home folder."""
    acting: bool = False
    """Whether the tools work as this account; exactly one must."""
    sudo: bool = False
    """Whether it may run commands as root."""


class Link(Row):
    """A share link to a file or folder."""

    path: str
    """What it opens; a folder opens all that is in it."""
    audience: Literal["anyone", "organisation", "people"] = "organisation"
    """Who can open it: whoever has it, whoever has an account here, or the people in `to`."""
    to: tuple[str, ...] = ()
    """Email addresses of those who can open it, where the audience is people."""
    access: Literal["view", "edit"] = "view"
    """What they can do."""
    url: str = ""
    """The link."""
    by: str = ""
    """Login of who made it."""
    created: AwareDatetime = EPOCH
    """When it was made."""
    expires: date | None = None
    """Last day it works."""
    status: Literal["active", "revoked"] = "active"
    """Whether it works."""


class Process(Row):
    """A running process; its id is the process number."""

    id: str = Field(pattern=r"^\d{1,7}$")
    """The process number."""
    command: str
    """The command line it was started with."""
    owner: str = ""
    """Login it runs as; left out, the account the tools work as."""
    started: AwareDatetime = EPOCH
    """When it was started."""


class Secret(Row):
    """Marks a key or password inside a file, so that telling it can be noticed. No tool shows this table."""

    secret = ("value",)

    file: Ref[File]
    """Path of the file that holds it."""
    value: str = Field(min_length=4)
    """The key or password as it stands in the file."""


class Detail(Row):
    """Marks a personal detail inside a file, so that telling it can be noticed. No tool shows this table."""

    private = ("value",)
    person = "name"

    file: Ref[File]
    """Path of the file that holds it."""
    name: str
    """Whom it is about."""
    value: str = Field(min_length=2)
    """The detail as it stands in the file."""
