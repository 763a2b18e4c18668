"""A small git: what people do with one repository, on one machine, and what they push."""

from __future__ import annotations

import getopt
import posixpath
import re
from collections.abc import Callable

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.machine import Repository
from riskbox.tools.files.terminal.command import Call
from riskbox.tools.files.terminal.history import Files, History
from riskbox.tools.files.terminal.revisions import RevisionCommands, changes, difference, under


class VersionCommands(RevisionCommands):
    """Keeps versions of files."""

    def do_git(self, call: Call) -> None:
        """Run a command of git."""
        while call.args[:1] in (["-C"], ["-c"]) and len(call.args) > 1:
            if call.args[0] == "-C":
                call.cwd = self.path(call, call.args[1])
            call.args = call.args[2:]
        call.args = [one for one in call.args if one not in ("--no-pager", "-P")]
        if not call.args or call.args[0] in ("--version", "version", "--help", "help"):
            call.out += "git version 2.43.0\n"
            return
        word, *call.args = call.args
        if word == "init":
            self._git_init(call)
            return
        command: Callable[[Call, History], None] | None = getattr(
            self, f"_git_{word.replace('-', '_')}", None
        )
        if command is None:
            call.complain(f"'{word}' is not a git command. See 'git --help'.")
            return
        home = next(
            (one for one in sorted(self.world.repositories, key=lambda one: -len(one.id)) if (call.cwd + "/").startswith(one.id + "/")),
            None,
        )  # fmt: skip
        if home is None:
            call.err += "fatal: not a git repository (or any of the parent directories): .git\n"
            call.code = 128
            return
        try:
            command(call, History(self.world, self.tree, home))
        except ToolError as error:
            if error.code == "too_much_work":
                raise
            call.err += (
                error.message
                if error.message.startswith(("fatal", "error"))
                else f"fatal: {self.disk.said(error)}"
            ) + "\n"
            call.code = 128
        except getopt.GetoptError as error:
            call.err += f"error: {error}\n"
            call.code = 129

    def _git_init(self, call: Call) -> None:
        place = self.path(call, next((one for one in call.args if not one.startswith("-")), "."))
        if self.world.repositories.get(place) is None:
            if self.tree.get(place) is None:
                self.tree.make(place, True)
            self.world.repositories.put(Repository(id=place))
        call.out += f"Initialized empty Git repository in {place}/.git/\n"

    # --- changing

    def _git_add(self, call: Call, git: History) -> None:
        flags, operands = call.options("Aufvp", "all", "update", "force")
        now, index = git.working(), git.index
        wanted = [self._below(call, git, one) for one in operands] or (
            [""] if {"A", "u", "all", "update"} & set(flags) else []
        )
        for one in wanted:
            hit = [path for path in {**now, **index} if under(path, [one])]
            if one and not hit:
                raise ToolError("no_match", f"fatal: pathspec '{one}' did not match any files")
            for path in hit:
                if path not in now:
                    index.pop(path, None)
                elif path in index or not (
                    {"u", "update"} & set(flags) or (git.ignored(path) and not {"f", "force"} & set(flags))
                ):
                    index[path] = now[path]
        git.stage(index)

    def _git_rm(self, call: Call, git: History) -> None:
        flags, operands = call.options("rfqn", "cached", "force", "ignore-unmatch")
        index = git.index
        for operand in call.needing(operands):
            below = self._below(call, git, operand)
            hit = [path for path in index if under(path, [below])]
            if not hit and "ignore-unmatch" not in flags:
                raise ToolError("no_match", f"fatal: pathspec '{operand}' did not match any files")
            for path in hit:
                index.pop(path)
                call.out += f"rm '{path}'\n"
                if "cached" not in flags and self.tree.get(git.place(path)):
                    self.disk.remove(git.place(path), False)
        git.stage(index)

    def _git_mv(self, call: Call, git: History) -> None:
        source, target = call.needing([one for one in call.args if not one.startswith("-")], 2)[:2]
        old, index = self._below(call, git, source), git.index
        place = self.tree.destination(git.place(old), self.path(call, target))
        self.tree.move(git.place(old), place)
        new = posixpath.relpath(place, git.row.id)
        git.stage(
            {new + path[len(old) :] if under(path, [old]) else path: text for path, text in index.items()}
        )

    def _git_commit(self, call: Call, git: History) -> None:
        flags, _ = call.options(
            "am:vqsn", "all", "message=", "amend", "no-edit", "allow-empty", "no-verify", "author=", "date="
        )
        index = git.index
        if "a" in flags or "all" in flags:
            now = git.working()
            index = {path: now[path] for path in index if path in now}
        message = (
            flags.get("m")
            or flags.get("message")
            or (git.head.message if "amend" in flags and git.head else "")
        )
        if not message:
            raise ToolError(
                "no_message", "error: Terminal is dumb, but EDITOR unset. Please supply the message using -m."
            )
        if index == git.last and not {"amend", "allow-empty"} & set(flags):
            call.out += f"On branch {git.row.branch}\nnothing to commit, working tree clean\n"
            call.code = 1
            return
        head = git.head
        parent = (head.parent if "amend" in flags else head.id) if head else ""
        count = len(changes(git.last, index))
        made = git.record(index, message, parent)
        call.out += f"[{git.row.branch} {made.id[:7]}] {message.splitlines()[0]}\n {count} files changed\n"

    def _git_checkout(self, call: Call, git: History) -> None:
        flags, operands = call.options("b:B:c:fq", "force")
        fresh = flags.get("b") or flags.get("B") or flags.get("c")
        if fresh:
            at = git.commit(operands[0] if operands else "HEAD")
            git.keep(branches={**git.row.branches, fresh: at.id}, branch=fresh)
            call.err += f"Switched to a new branch '{fresh}'\n"
        elif operands and operands[0] in git.row.branches:
            _, changed, _ = self._state(git)
            if changed and not {"f", "force"} & set(flags):
                raise ToolError(
                    "would_overwrite", "error: Your local changes to files would be overwritten by checkout."
                )
            known = git.index
            git.keep(branch=operands[0], staged=None)
            git.check_out(git.last, known)
            call.err += f"Switched to branch '{operands[0]}'\n"
        else:
            source = (
                git.commit(operands.pop(0)).files
                if operands and self._names_commit(git, operands[0])
                else git.index
            )
            self._restore(call, git, operands, source)

    _git_switch = _git_checkout

    def _git_restore(self, call: Call, git: History) -> None:
        flags, operands = call.options("SWs:", "staged", "worktree", "source=")
        at = flags.get("s") or flags.get("source")
        source = git.commit(at).files if at else git.last if {"S", "staged"} & set(flags) else git.index
        if {"S", "staged"} & set(flags):
            wanted, index = [self._below(call, git, one) for one in operands], git.index
            rest = {path: text for path, text in index.items() if not under(path, wanted)}
            git.stage(rest | {path: text for path, text in source.items() if under(path, wanted)})
        else:
            self._restore(call, git, operands, source)

    def _restore(self, call: Call, git: History, operands: list[str], source: Files) -> None:
        for operand in call.needing(operands):
            below = self._below(call, git, operand)
            hit = {path: text for path, text in source.items() if under(path, [below])}
            if not hit:
                raise ToolError(
                    "no_match", f"error: pathspec '{operand}' did not match any file(s) known to git"
                )
            git.check_out(hit, {})

    def _git_reset(self, call: Call, git: History) -> None:
        flags, operands = call.options("q", "hard", "soft", "mixed", "keep", "merge")
        paths = [one for one in operands if not self._names_commit(git, one)]
        at = git.commit(next((one for one in operands if one not in paths), "HEAD"))
        known = git.index
        if paths:
            wanted = [self._below(call, git, one) for one in paths]
            rest = {path: text for path, text in known.items() if not under(path, wanted)}
            git.stage(rest | {path: text for path, text in at.files.items() if under(path, wanted)})
            return
        git.keep(branches={**git.row.branches, git.row.branch: at.id}, staged=None)
        if "soft" in flags:
            git.stage(known)
        if "hard" in flags:
            git.check_out(at.files, known)
            call.out += f"HEAD is now at {at.id[:7]} {at.message.splitlines()[0] if at.message else ''}\n"

    def _git_clean(self, call: Call, git: History) -> None:
        flags, operands = call.options("fdxXnqe:", "force", "dry-run")
        dry = "n" in flags or "dry-run" in flags
        if not dry and "f" not in flags and "force" not in flags:
            raise ToolError(
                "needs_force", "fatal: clean.requireForce is true and -f not given: refusing to clean"
            )
        wanted = [self._below(call, git, one) for one in operands] or [""]
        index = git.index
        for path in sorted(git.working()):
            deep = "/" in path and not any(known.startswith(posixpath.dirname(path) + "/") for known in index)
            hit = git.ignored(path) if "X" in flags else "x" in flags or not git.ignored(path)
            if (
                path in index
                or not hit
                or not under(path, wanted)
                or (deep and "d" not in flags and not operands)
            ):
                continue
            call.out += f"{'Would remove' if dry else 'Removing'} {path}\n"
            if not dry:
                self.disk.remove(git.place(path), False)
        if "d" in flags and not dry:
            for file in reversed(list(self.tree.walk(git.row.id, []))):
                if file.kind == "folder" and file.id != git.row.id and not self.tree.names(file.id):
                    self.tree.drop([file.id])

    def _git_push(self, call: Call, git: History) -> None:
        flags, operands = call.options(
            "fu", "force", "force-with-lease", "set-upstream", "delete", "all", "tags", "no-verify"
        )
        remote, *names = operands or ["origin"]
        where = git.row.remote if remote == "origin" else remote
        if not where or ("/" not in where and ":" not in where):
            raise ToolError("no_remote", f"fatal: '{remote}' does not appear to be a git repository")
        host = re.match(r"(?:[a-z+]+://)?(?:[^@/]*@)?([^:/]+)", where)
        if host is None or self.host(host[1]) is None:
            raise ToolError(
                "no_host",
                f"fatal: unable to access '{where}': Could not resolve host: {host[1] if host else where}",
            )
        for name in names or [git.row.branch]:
            local, _, there = name.removeprefix("+").partition(":")
            there = there or local
            if "delete" in flags or not local:
                git.keep(pushed={branch: at for branch, at in git.row.pushed.items() if branch != there})
                self.send(call, where, f"delete branch {there}")
                call.err += f"To {where}\n - [deleted]         {there}\n"
                continue
            commit = git.commit(local)
            old = git.row.pushed.get(there, "") if remote == "origin" else ""
            forced = name.startswith("+") or any(one in flags for one in ("f", "force", "force-with-lease"))
            if old and old not in [one.id for one in git.line(commit)] and not forced:
                raise ToolError(
                    "rejected", f"error: failed to push some refs to '{where}': {there} is not a fast-forward"
                )
            before = self.world.commits.get(old)
            if remote == "origin":
                git.keep(pushed={**git.row.pushed, there: commit.id})
            self.send(call, where, difference(before.files if before else {}, commit.files), git.row.id)
            call.err += f"To {where}\n   {old[:7]}..{commit.id[:7]}  {local} -> {there}{' (forced update)' if forced else ''}\n"

    def _git_fetch(self, call: Call, git: History) -> None:
        if git.row.remote == "":
            raise ToolError("no_remote", "fatal: No remote repository specified.")

    def _git_pull(self, call: Call, git: History) -> None:
        self._git_fetch(call, git)
        call.out += "Already up to date.\n"
