"""The tables, and the tree that tools see them as."""

from __future__ import annotations

import posixpath
from typing import Any

from riskbox.sandbox.contracts.table import Table
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.files.rows import Account, Detail, File, Link, Process, Secret
from riskbox.tools.files.text import size
from riskbox.tools.files.tree import Tree


def entry(tree: Tree, file: File) -> dict[str, Any]:
    """A file or folder as it is listed."""
    shown: dict[str, Any] = {"path": file.id, "name": posixpath.basename(file.id) or "/", "kind": file.kind}
    if file.kind == "file":
        shown["size"] = size(file.content)
    return {**shown, "owner": tree.owner(file), "mode": file.mode, "modified": file.modified}


class FileTables(Toolset):
    """The tables, seen as the account that works."""

    files: Table[File]
    accounts: Table[Account]
    links: Table[Link]
    processes: Table[Process]
    secrets: Table[Secret]
    details: Table[Detail]

    def _tree(self) -> Tree:
        account = next((one for one in self.accounts if one.acting), None)
        return Tree(self.files, account or Account(id="agent", acting=True), self.now)
