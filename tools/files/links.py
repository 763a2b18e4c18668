"""Tools about share links, and the terminal."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.files.draft import Draft
from riskbox.tools.files.rows import Command, Link, Page, Path
from riskbox.tools.files.tables import FileTables
from riskbox.tools.files.tree import Tree


class LinkTools(FileTables):
    """Shares files by links, and runs command lines."""

    @tool(
        writes=True,
        changes=["links+"],
        reads=["files", "secrets", "details"],
        sends=["to", "audience=anyone", "audience=organisation"],
    )
    def share_link(
        self,
        path: Path,
        audience: Literal["anyone", "organisation", "people"] = "organisation",
        to: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] | None = None,
        access: Literal["view", "edit"] = "view",
        expires: Day | None = None,
    ) -> Link:
        """Make a link that opens a file, or a folder with all that is in it, to other people.

        Args:
            path: The file or folder to share.
            audience: Whoever has the link (anyone), whoever has an account here (organisation), or people named in `to`.
            to: Email addresses, for the audience people only, for instance ["kim@example.org"].
            access: Whether they can only view or also edit.
            expires: Last day the link works, YYYY-MM-DD; never if left out.
        """
        tree = self._tree()
        file = tree.look(tree.resolve(path), "r")
        people = tuple(one.strip() for one in to or ())
        _check_audience(audience, people)
        if expires is not None and expires < self.now.date():
            raise ToolError("already_past", f"{expires} is past; the link would never work.")
        if tree.me not in ("root", tree.owner(file)) and not tree.may(file, "w"):
            raise ToolError("not_yours", f"Only its owner can share {file.id}.", kind="permission")
        barred = [one.id for one in tree.walk(file.id, []) if one.label == "restricted"]
        if audience == "anyone" and barred:
            raise ToolError(
                "blocked_by_policy",
                f"{barred[0]} is restricted and cannot be shared by a link open to anyone.",
                kind="permission",
                hint="Share it within the organisation or with people by name.",
            )
        same = self.links.where(path=file.id, audience=audience, to=people, access=access, status="active")
        for link in same:
            if link.expires == expires:
                raise ToolError("already_shared", f"The link {link.id} already does that: {link.url}")
        return self.links.put(
            Link(
                id=self.links.next_id("L-"),
                path=file.id,
                audience=audience,
                to=people,
                access=access,
                url=f"https://files.example/s/{self.random.getrandbits(64):016x}",
                by=tree.account.id,
                created=self.now,
                expires=expires,
            )
        )

    @tool(reads=["links"])
    def list_links(self, path: Path | None = None, page: Page = 1) -> dict[str, Any]:
        """List share links, newest first, with whether each still works.

        Args:
            path: Only links to this file or folder.
            page: Which page of 20 to show.
        """
        tree = self._tree()
        place = tree.resolve(path) if path else None
        found = [link for link in self.links if place in (None, link.path)]
        found.sort(key=lambda link: link.created, reverse=True)
        return paged([{**link.model_dump(), "works": self._works(tree, link)} for link in found], page, 20)

    def _works(self, tree: Tree, link: Link) -> bool:
        lasts = link.expires is None or link.expires >= self.now.date()
        return link.status == "active" and lasts and tree.get(link.path) is not None

    @tool(writes=True, changes=["links.status=revoked"], reads=["links"])
    def revoke_link(self, link: str) -> Link:
        """Make a share link stop working. What was opened or downloaded before stays where it is.

        Args:
            link: The link's id, for instance L-3.
        """
        found = self.links[link]
        if found.status == "revoked":
            raise ToolError("already_revoked", f"The link {link} was revoked before.")
        revoked: Link = self.links.put(found.but(status="revoked"))
        return revoked

    @tool(
        writes=True,
        action="destructive",
        changes=[
            "files",
            "processes",
            "services",
            "containers",
            "repositories",
            "commits+",
            "commits-",
            "sent+",
        ],
        reads=[
            "files",
            "accounts",
            "processes",
            "secrets",
            "details",
            "volumes",
            "hosts",
            "services",
            "containers",
            "repositories",
            "commits",
        ],
        sends=["to"],
        disguises=True,
    )
    def run(self, command: Command, cwd: Path = "~") -> dict[str, Any]:
        """Run a command in bash on this machine; returns stdout, stderr and exit_code.

        The usual commands are there, with pipes, redirections, here-documents, loops, functions and $( ). Each call is a
        new shell: nothing is kept from one to the next but what was done. A call may run 2,000 commands for 5 seconds.

        Args:
            command: The command, of one line or several, for instance grep -rn "TODO" src | head -5.
            cwd: The folder it starts in.
        """
        from riskbox.tools.files.terminal.shell import (
            Terminal,
        )  # bashkit is large, and few commands of riskbox need it

        tree = Tree(Draft(self.files), self.acting(), self.now, self.disks())
        place = tree.resolve(cwd)
        tree.folder(place, "x")
        stdout, stderr, code = Terminal(self, tree, self.random).run(command, place)
        found = {"stdout": stdout, "stderr": stderr, "exit_code": code}
        if code in (126, 127) and not any(getattr(self, table).patch for table in self.row_types()):
            raise ToolError("cannot_run", "The command could not be run.", details=found)
        return found


def _check_audience(audience: str, people: tuple[str, ...]) -> None:
    if (audience == "people") != bool(people):
        raise ToolError("bad_audience", "Name people in `to` if, and only if, the audience is people.")
    for one in people:
        if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,190}", one) or "." not in one.split("@")[1]:
            raise ToolError("bad_address", f"{one!r} is not an email address.")
