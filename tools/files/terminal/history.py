"""A git repository of the world: its commits, its index, and the files below its top folder."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.machine import Commit, Repository
from riskbox.tools.files.tables import FileTables
from riskbox.tools.files.tree import Tree

Files = dict[str, str]
"""The content of files by their path below the top folder."""


class History:
    """One repository, and what can be asked of it and done to it."""

    def __init__(self, world: FileTables, tree: Tree, row: Repository) -> None:
        self.world, self.tree, self.row = world, tree, row

    def keep(self, **changes: object) -> None:
        """Write changes of the repository's row."""
        self.row = self.world.repositories.put(self.row.but(**changes))

    # --- commits

    @property
    def head(self) -> Commit | None:
        """The last commit of the branch."""
        return self.world.commits.get(self.row.branches.get(self.row.branch, ""))

    def commit(self, name: str) -> Commit:
        """The commit that a name stands for: a hash or its start, a branch, HEAD, with ~n or ^ for those before.

        Raises:
            ToolError: `no_such_commit`.
        """
        base, steps = name.rstrip("^"), len(name) - len(name.rstrip("^"))
        if "~" in base:
            base, _, count = base.partition("~")
            steps += int(count) if count.isdigit() else 1
        at = self.row.branches.get(
            base, self.row.branches.get(self.row.branch, "") if base in ("HEAD", "@") else base
        )
        if base.startswith("origin/"):
            at = self.row.pushed.get(base.removeprefix("origin/"), "")
        found = [
            one
            for one in self.world.commits
            if at and one.repository == self.row.id and one.id.startswith(at)
        ]
        commit = found[0] if len(found) == 1 else None
        for _ in range(steps):
            commit = self.world.commits.get(commit.parent) if commit else None
        if commit is None:
            raise ToolError(
                "no_such_commit",
                f"fatal: ambiguous argument '{name}': unknown revision or path not in the working tree.",
            )
        return commit

    def line(self, commit: Commit | None) -> list[Commit]:
        """A commit and those before it, newest first."""
        found: list[Commit] = []
        while commit is not None and len(found) < 1_000:
            found.append(commit)
            commit = self.world.commits.get(commit.parent)
        return found

    def record(self, files: Files, message: str, parent: str) -> Commit:
        """Make a commit on the branch."""
        seed = repr((parent, sorted(files.items()), message, self.tree.now.isoformat(), self.row.id))
        account = self.world.acting()
        made = Commit(
            id=hashlib.sha1(seed.encode(errors="replace"), usedforsecurity=False).hexdigest(),
            repository=self.row.id,
            parent=parent,
            author=account.name or account.id,
            when=self.tree.now,
            message=message,
            files=files,
        )
        self.world.commits.put(made)
        self.keep(branches={**self.row.branches, self.row.branch: made.id}, staged=None)
        return made

    # --- files

    @property
    def last(self) -> Files:
        """The files of the last commit."""
        return dict(self.head.files) if self.head else {}

    @property
    def index(self) -> Files:
        """The files as they would be committed."""
        return dict(self.row.staged) if self.row.staged is not None else self.last

    def stage(self, index: Files) -> None:
        """Set the files as they would be committed."""
        self.keep(staged=None if index == self.last else index)

    def working(self) -> Files:
        """The files that are there, ignored ones too."""
        found = {}
        for file in self.tree.walk(self.row.id, []):
            below = posixpath.relpath(file.id, self.row.id)
            if file.kind != "folder" and not below.startswith(".git/") and self.tree.may(file, "r"):
                self.tree.spend(len(file.content))
                found[below] = file.content
        return found

    def ignored(self, path: str) -> bool:
        """Whether git passes over a file that it does not know."""
        own = self.tree.rows.get(posixpath.join(self.row.id, ".gitignore"))
        patterns = [*self.row.ignored, *(own.content.splitlines() if own else ())]
        for line in patterns:
            pattern = line.strip()
            if not pattern or pattern.startswith("#"):
                continue
            anchored, bare = pattern.strip("/").count("/") > 0 or pattern.startswith("/"), pattern.strip("/")
            parts = path.split("/")
            heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            if any(fnmatch.fnmatchcase(one, bare) for one in (heads if anchored else parts)):
                return True
        return False

    def check_out(self, wanted: Files, known: Files) -> None:
        """Make the files that git knows those that are wanted; others stay as they are."""
        now = self.working()
        for path in sorted(set(known) - set(wanted)):
            if path in now:
                self.tree.drop(self.tree.doomed(self.place(path))[0])
        for path, content in sorted(wanted.items()):
            if now.get(path) != content:
                above = posixpath.dirname(self.place(path))
                if self.tree.get(above) is None:
                    self.tree.make(above, True)
                self.tree.write(self.place(path), content)

    def place(self, path: str) -> str:
        """The absolute path of a file of the repository."""
        return posixpath.join(self.row.id, path)
