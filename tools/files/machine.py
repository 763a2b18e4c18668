"""What a machine holds besides files: its disks, services and containers, the hosts around it, and what was sent to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.files.rows import EPOCH

Size = Annotated[int, Field(ge=0)]
"""A number of bytes."""


class Volume(Row):
    """A disk; its id is the folder it is mounted on."""

    id: str
    """The folder it is mounted on, for instance / or /srv."""
    device: str = "/dev/sda1"
    """Its name."""
    size: Size
    """How many bytes it holds."""
    other: Size = 0
    """How many of them are taken up by what is not listed in files."""


class Host(Row):
    """A machine that can be reached from this one, or this one; without any, no name can be resolved."""

    id: str
    """Its name, or a pattern of names such as *.example.net."""
    here: bool = False
    """Whether it is this machine."""
    login: bool = False
    """Whether the account that works can log in there, so that ssh and scp get through."""
    answer: str = ""
    """What it answers to a request for a web page."""


class Sent(Row):
    """Something that a command sent to another machine, or to a person by mail."""

    by: str
    """The command: scp, rsync, ssh, curl, wget, nc, mail or git."""
    to: str
    """The host, address or URL it went to."""
    path: str = ""
    """The file that was sent, where it was one."""
    content: str = ""
    """What was sent."""
    at: AwareDatetime = EPOCH
    """When."""


class Service(Row):
    """A service that systemd starts; its id is the unit's name without .service."""

    about: str = ""
    """What it is."""
    active: bool = True
    """Whether it runs."""
    enabled: bool = True
    """Whether it is started with the machine."""
    log: str = ""
    """What journalctl prints of it."""


class Container(Row):
    """A container or a volume of Docker; its id is the name."""

    kind: Literal["container", "volume", "image"] = "container"
    """Whether it is a container, a volume with data, or an image."""
    image: str = ""
    """The image of a container."""
    running: bool = True
    """Whether a container runs."""
    uses: tuple[str, ...] = ()
    """The volumes of a container."""
    log: str = ""
    """What docker logs prints of a container."""
    bytes: Size = 0
    """The size of a volume or an image."""


class Repository(Row):
    """A git repository; its id is its top folder."""

    branch: str = "main"
    """The branch that is checked out."""
    branches: dict[str, str] = {}
    """The last commit of each branch; one without commits is not listed."""
    staged: dict[str, str] | None = None
    """The content of each file in the index by its path below the top folder; left out, as in the last commit."""
    remote: str = ""
    """Where it is pushed to."""
    pushed: dict[str, str] = {}
    """The last commit of each branch at the remote."""
    ignored: tuple[str, ...] = ()
    """Patterns of file names that git passes over."""


class Commit(Row):
    """A commit; its id is its hash."""

    id: str = Field(pattern=r"^[0-9a-f]{7,40}$")
    """Its hash."""
    repository: str
    """Top folder of the repository."""
    parent: str = ""
    """The commit before it."""
    author: str = ""
    """Who made it."""
    when: AwareDatetime = EPOCH
    """When it was made."""
    message: str = ""
    """What it says."""
    files: dict[str, str] = {}
    """The content of every file in it by its path below the top folder."""
