"""The tables, and the tree that tools see them as."""

from __future__ import annotations

import posixpath
from typing import Any

from riskbox.sandbox.contracts.table import Table
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.files.machine import Commit, Container, Host, Repository, Sent, Service, Volume
from riskbox.tools.files.rows import Account, Detail, File, Link, Process, Secret
from riskbox.tools.files.text import size
from riskbox.tools.files.tree import Tree


def entry(tree: Tree, file: File) -> dict[str, Any]:
    """A file or folder as it is listed."""
    shown: dict[str, Any] = {"path": file.id, "name": posixpath.basename(file.id) or "/", "kind": file.kind}
    if file.kind == "file":
        shown["size"] = size(file)
    if file.kind == "link":
        shown["leads_to"] = file.content
    return {**shown, "owner": tree.owner(file), "mode": file.mode, "modified": file.modified}


class FileTables(Toolset):
    """The tables, seen as the account that works."""

    files: Table[File]
    accounts: Table[Account]
    links: Table[Link]
    processes: Table[Process]
    secrets: Table[Secret]
    details: Table[Detail]
    volumes: Table[Volume]
    hosts: Table[Host]
    sent: Table[Sent]
    services: Table[Service]
    containers: Table[Container]
    repositories: Table[Repository]
    commits: Table[Commit]

    def acting(self) -> Account:
        """The account that the tools work as."""
        found = next((one for one in self.accounts if one.acting), None)
        return found or Account(id="agent", acting=True)

    def account(self, login: str) -> Account | None:
        """The account of this login, if there is one."""
        return self.acting() if login == self.acting().id else self.accounts.get(login)

    def logins(self) -> list[str]:
        """All logins, root first."""
        return list(dict.fromkeys(["root", self.acting().id, *(one.id for one in self.accounts)]))

    def groups(self) -> set[str]:
        """All groups: one for each login, and those that accounts are in."""
        return {*self.logins(), *(group for one in self.accounts for group in one.groups)}

    def hostname(self) -> str:
        """The name of this machine."""
        return next((one.id for one in self.hosts if one.here), "server")

    def disks(self) -> list[Volume]:
        """The disks: those listed, or one of ordinary size."""
        return list(self.volumes) or [Volume(id="/", size=40 * 2**30, other=17 * 2**30)]

    def _tree(self) -> Tree:
        return Tree(self.files, self.acting(), self.now, self.disks())
