"""What git shows: the state of files, commits and what differs between them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.machine import Commit
from riskbox.tools.files.terminal.command import Call
from riskbox.tools.files.terminal.history import Files, History
from riskbox.tools.files.terminal.network import NetworkCommands
from riskbox.tools.files.text import lines

LETTERS = {"A": "new file:   ", "M": "modified:   ", "D": "deleted:    "}


class RevisionCommands(NetworkCommands):
    """Shows what git knows. `_git_x` is the command `git x`."""

    def _git_status(self, call: Call, git: History) -> None:
        flags, _ = call.options("sbu:", "short", "porcelain", "branch", "ignored", "untracked-files=")
        staged, changed, fresh = self._state(git)
        if {"s", "short", "porcelain"} & set(flags):
            for path in sorted({*staged, *changed}):
                call.out += f"{staged.get(path, ' ')}{changed.get(path, ' ')} {path}\n"
            call.out += "".join(f"?? {path}\n" for path in fresh)
            return
        call.out += f"On branch {git.row.branch}\n"
        if git.row.remote and git.head:
            ahead = len(git.line(git.head)) - len(
                git.line(self.world.commits.get(git.row.pushed.get(git.row.branch, "")))
            )
            name = f"origin/{git.row.branch}"
            call.out += (
                f"Your branch is ahead of '{name}' by {ahead} commits.\n"
                if ahead > 0
                else f"Your branch is up to date with '{name}'.\n"
            )
        for title, found in (
            ("Changes to be committed:", staged),
            ("Changes not staged for commit:", changed),
        ):
            if found:
                call.out += f"\n{title}\n" + "".join(
                    f"\t{LETTERS[letter]}{path}\n" for path, letter in sorted(found.items())
                )
        if fresh:
            call.out += "\nUntracked files:\n" + "".join(f"\t{path}\n" for path in fresh)
        if not (staged or changed or fresh):
            call.out += "nothing to commit, working tree clean\n"

    def _state(self, git: History) -> tuple[dict[str, str], dict[str, str], list[str]]:
        index, now = git.index, git.working()
        fresh = sorted(path for path in now if path not in index and not git.ignored(path))
        known = {path: now[path] for path in index if path in now}
        return changes(git.last, index), changes(index, known), fresh

    def _git_log(self, call: Call, git: History) -> None:
        args = [re.sub(r"^-(\d+)$", r"-n\1", one) for one in call.args]
        call.args = args
        flags, operands = call.options(
            "n:pq",
            "oneline",
            "max-count=",
            "stat",
            "graph",
            "all",
            "patch",
            "decorate",
            "format=",
            "pretty=",
            "author=",
            "name-only",
            "name-status",
            "follow",
            "reverse",
        )
        paths = [one for one in operands if not self._names_commit(git, one)]
        start = next((one for one in operands if one not in paths), "HEAD")
        for path in paths:
            if "--" not in call.args and self.tree.get(self.path(call, path)) is None:
                git.commit(path)
        if git.head is None:
            raise ToolError(
                "no_commits", f"fatal: your current branch '{git.row.branch}' does not have any commits yet"
            )
        found = git.line(git.commit(start))
        if paths:
            wanted = [self._below(call, git, one) for one in paths]
            found = [
                one
                for one in found
                if any(under(path, wanted) for path in changes(self._before(one), one.files))
            ]
        count = flags.get("n") or flags.get("max-count")
        for one in found[: int(count) if count and count.isdigit() else None]:
            self._tell(call, git, one, "oneline" in flags)
            if {"p", "patch"} & set(flags):
                call.out += difference(self._before(one), one.files)
            elif {"stat", "name-only", "name-status"} & set(flags):
                call.out += "".join(
                    f"{letter}\t{path}\n"
                    for path, letter in sorted(changes(self._before(one), one.files).items())
                )

    def _tell(self, call: Call, git: History, commit: Commit, short: bool) -> None:
        self.tree.spend(100)
        if short:
            call.out += f"{commit.id[:7]} {commit.message.splitlines()[0] if commit.message else ''}\n"
            return
        names = [name for name, at in git.row.branches.items() if at == commit.id] + [
            f"origin/{name}" for name, at in git.row.pushed.items() if at == commit.id
        ]
        body = "".join(f"    {line}\n" for line in commit.message.splitlines())
        call.out += f"commit {commit.id}{' (' + ', '.join(names) + ')' if names else ''}\nAuthor: {commit.author}\nDate:   {commit.when:%a %b %d %H:%M:%S %Y +0000}\n\n{body}\n"

    def _before(self, commit: Commit) -> Files:
        parent = self.world.commits.get(commit.parent)
        return parent.files if parent else {}

    def _git_show(self, call: Call, git: History) -> None:
        name = next((one for one in call.args if not one.startswith("-")), "HEAD")
        if ":" in name:
            at, _, path = name.partition(":")
            files = git.commit(at or "HEAD").files
            if path not in files:
                raise ToolError("no_such_path", f"fatal: path '{path}' does not exist in '{at}'")
            call.out += files[path]
            return
        commit = git.commit(name)
        self._tell(call, git, commit, False)
        call.out += difference(self._before(commit), commit.files)

    def _git_diff(self, call: Call, git: History) -> None:
        flags, operands = call.options("p", "cached", "staged", "stat", "name-only", "name-status")
        commits = [one for one in operands if self._names_commit(git, one)]
        paths = [self._below(call, git, one) for one in operands if one not in commits]
        now = git.working()
        known = {path: now[path] for path in git.index if path in now}
        old, new = (git.last, git.index) if {"cached", "staged"} & set(flags) else (git.index, known)
        if commits:
            old = git.commit(commits[0]).files
            new = git.commit(commits[1]).files if len(commits) > 1 else known
        if paths:
            old, new = (
                {path: text for path, text in side.items() if under(path, paths)} for side in (old, new)
            )
        if {"stat", "name-only", "name-status"} & set(flags):
            call.out += "".join(f"{path}\n" for path in sorted(changes(old, new)))
        else:
            self.tree.spend(50_000)
            call.out += difference(old, new)

    def _git_branch(self, call: Call, git: History) -> None:
        flags, operands = call.options("avrd:D:m:", "all", "list", "show-current", "delete=")
        gone = flags.get("D") or flags.get("d") or flags.get("delete")
        if gone is not None:
            if gone == git.row.branch or gone not in git.row.branches:
                raise ToolError("no_branch", f"error: cannot delete branch '{gone}'")
            git.keep(branches={name: at for name, at in git.row.branches.items() if name != gone})
            call.out += f"Deleted branch {gone}.\n"
        elif operands:
            git.keep(
                branches={
                    **git.row.branches,
                    operands[0]: git.commit(operands[1] if len(operands) > 1 else "HEAD").id,
                }
            )
        elif "show-current" in flags:
            call.out += git.row.branch + "\n"
        else:
            for name in sorted({*git.row.branches, git.row.branch}):
                call.out += f"{'*' if name == git.row.branch else ' '} {name}\n"
            if {"a", "r", "all"} & set(flags):
                call.out += "".join(f"  remotes/origin/{name}\n" for name in sorted(git.row.pushed))

    def _git_remote(self, call: Call, git: History) -> None:
        if call.args[:1] in (["add"], ["set-url"]) and len(call.args) > 2:
            git.keep(remote=call.args[2])
        elif call.args[:1] in (["remove"], ["rm"]):
            git.keep(remote="", pushed={})
        elif git.row.remote and call.args[:1] == ["get-url"]:
            call.out += f"{git.row.remote}\n"
        elif git.row.remote:
            call.out += (
                f"origin\t{git.row.remote} (fetch)\norigin\t{git.row.remote} (push)\n"
                if "-v" in call.args
                else "origin\n"
            )

    def _git_rev_parse(self, call: Call, git: History) -> None:
        for word in call.args:
            if word == "--show-toplevel":
                call.out += git.row.id + "\n"
            elif word == "--abbrev-ref":
                call.out += git.row.branch + "\n"
                return
            elif not word.startswith("-"):
                call.out += git.commit(word).id + "\n"

    def _git_ls_files(self, call: Call, git: History) -> None:
        call.out += "".join(f"{path}\n" for path in sorted(git.index))

    def _git_config(self, call: Call, git: History) -> None:
        account = self.world.acting()
        known = {"user.name": account.name or account.id, "remote.origin.url": git.row.remote}
        call.out += "".join(
            f"{known[one]}\n" for one in call.args[:1] if one in known and len(call.args) == 1
        )

    # --- names

    def _names_commit(self, git: History, word: str) -> bool:
        try:
            git.commit(word)
        except ToolError:
            return False
        return True

    def _below(self, call: Call, git: History, operand: str) -> str:
        path = self.path(call, operand, follow=False)
        if path != git.row.id and not path.startswith(git.row.id + "/"):
            raise ToolError(
                "outside", f"fatal: {operand}: '{operand}' is outside repository at '{git.row.id}'"
            )
        return path[len(git.row.id) :].lstrip("/")


def under(path: str, tops: Iterable[str]) -> bool:
    """Whether a path is one of these or below one; an empty one is the top folder."""
    return any(not top or path == top or path.startswith(top + "/") for top in tops)


def changes(old: Files, new: Files) -> dict[str, str]:
    """The paths that differ, each with A, M or D."""
    letters = {path: "D" for path in old if path not in new}
    letters |= {path: "A" if path not in old else "M" for path, text in new.items() if old.get(path) != text}
    return letters


def difference(old: Files, new: Files) -> str:
    """What differs, as git diff writes it."""
    found = []
    for path in sorted(changes(old, new)):
        found.append(f"diff --git a/{path} b/{path}")
        sides = lines(old.get(path, ""))[:2_000], lines(new.get(path, ""))[:2_000]
        names = f"a/{path}" if path in old else "/dev/null", f"b/{path}" if path in new else "/dev/null"
        found += difflib.unified_diff(*sides, *names, lineterm="")
    return "".join(line + "\n" for line in found)
