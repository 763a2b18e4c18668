"""Commands that change files and folders: what must know of owners, and what overwrites."""

from __future__ import annotations

import getopt
import posixpath
import re
from collections.abc import Callable
from datetime import UTC, datetime

from riskbox.tools.files.refusals import refusal
from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.command import Call, Commands, told
from riskbox.tools.files.terminal.moment import moment
from riskbox.tools.files.text import content_of, length, octets


class ChangingCommands(Commands):
    """Removes, marks and overwrites."""

    def do_rm(self, call: Call) -> None:
        """Remove files."""
        flags, operands = call.options(
            "rRfivdI", "recursive", "force", "no-preserve-root", "preserve-root", "verbose", "interactive=", "one-file-system",
        )  # fmt: skip
        deep = any(flag in flags for flag in ("r", "R", "recursive"))
        force = "f" in flags or "force" in flags
        for operand in operands if force else call.needing(operands):
            with self.trying(call, f"cannot remove '{operand}'"):
                path = self.path(call, operand, follow=False)
                if path == "/" and "no-preserve-root" not in flags:
                    call.complain(
                        "it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe"
                    )
                elif posixpath.basename(operand.rstrip("/")) in (".", ".."):
                    call.complain(f"refusing to remove '.' or '..' directory: skipping '{operand}'")
                elif not (force and self.tree.get(path) is None):
                    if self.tree.look(path).kind == "folder" and not deep:
                        empty = "d" in flags and not self.tree.names(path)
                        if not empty:
                            raise refusal("is_folder", path)
                    gone, kept = self.tree.doomed(path)
                    for one in kept:
                        call.complain(f"cannot remove '{told(operand, path, one)}': Permission denied")
                    if "v" in flags or "verbose" in flags:
                        call.out += "".join(f"removed '{told(operand, path, one)}'\n" for one in gone)
                    self.tree.drop(gone)

    def do_rmdir(self, call: Call) -> None:
        """Remove empty folders."""
        _, operands = call.options("pv", "parents", "ignore-fail-on-non-empty", "verbose")
        for operand in call.needing(operands):
            with self.trying(call, f"failed to remove '{operand}'"):
                path = self.path(call, operand, follow=False)
                self.tree.folder(path)
                self.disk.remove(path, False)

    def do_shred(self, call: Call) -> None:
        """Overwrite files, and remove them if asked to."""
        flags, operands = call.options(
            "fuzvn:s:x", "force", "remove", "zero", "verbose", "iterations=", "exact"
        )
        for operand in call.needing(operands):
            with self.trying(call, operand):
                path = self.path(call, operand)
                found = octets(self.tree.text(path))
                self.tree.writable(path)
                fresh = (
                    bytes(len(found))
                    if "z" in flags or "zero" in flags
                    else self.random.randbytes(len(found))
                )
                self.tree.write(path, content_of(fresh))
                if "u" in flags or "remove" in flags:
                    self.disk.remove(path, False)

    def do_mv(self, call: Call) -> None:
        """Move files."""
        flags, operands = call.options(
            "fnviuTt:b",
            "force",
            "no-clobber",
            "verbose",
            "target-directory=",
            "no-target-directory",
            "interactive",
        )
        for source, target in self._pairs(call, flags, operands):
            with self.trying(call, f"cannot move '{source}' to '{target}'"):
                path = self.path(call, source, follow=False)
                place = self.tree.destination(path, self.path(call, target))
                if self._goes(flags, place):
                    self.disk.rename(path, place)
                    call.out += (
                        f"renamed '{source}' -> '{target}'\n" if "v" in flags or "verbose" in flags else ""
                    )

    def do_cp(self, call: Call) -> None:
        """Copy files."""
        flags, operands = call.options(
            "rRafnpviuTt:dLPHxb", "recursive", "archive", "force", "no-clobber", "verbose", "target-directory=",
            "no-target-directory", "preserve=", "parents", "no-preserve=", "reflink=", "sparse=", "backup",
        )  # fmt: skip
        deep = any(flag in flags for flag in ("r", "R", "a", "recursive", "archive"))
        for source, target in self._pairs(call, flags, operands):
            with self.trying(call, f"cannot copy '{source}' to '{target}'"):
                path = self.path(call, source, follow=not {"a", "d", "P", "archive"} & set(flags))
                if self.disk.special(path):
                    self.disk.copy(path, self.path(call, target))
                    continue
                if self.tree.look(path).kind == "folder" and not deep:
                    call.complain(f"-r not specified; omitting directory '{source}'")
                    continue
                if self.disk.special(self.path(call, target)):
                    self.disk.write_file(self.path(call, target), self.disk.read_file(path))
                    continue
                merged = source.endswith("/.") or source == "."
                place = (
                    self.path(call, target)
                    if merged
                    else self.tree.destination(path, self.path(call, target))
                )
                if self._goes(flags, place):
                    for barred in self.tree.copy(path, place):
                        call.complain(
                            f"cannot open '{told(source, path, barred)}' for reading: Permission denied"
                        )
                    call.out += f"'{source}' -> '{target}'\n" if "v" in flags or "verbose" in flags else ""

    def _pairs(self, call: Call, flags: dict[str, str], operands: list[str]) -> list[tuple[str, str]]:
        """Each source with the target that is named."""
        target = flags.get("t") or flags.get("target-directory")
        *sources, target = [*operands, target] if target else call.needing(operands, 2)
        if len(sources) > 1 or "t" in flags:
            self.tree.folder(self.path(call, target))
        return [(source, target) for source in sources]

    def _goes(self, flags: dict[str, str], place: str) -> bool:
        """Whether something may be put at a place, as far as the options say."""
        return self.tree.get(place) is None or not {"n", "no-clobber"} & set(flags)

    def do_ln(self, call: Call) -> None:
        """Make links; what is no symbolic link is a copy."""
        flags, operands = call.options("sfnvrT", "symbolic", "force", "no-dereference", "verbose", "relative")
        *sources, target = call.needing(operands if len(operands) != 1 else [*operands, "."])
        place = self.path(call, target, follow=False)
        into = self.tree.get(self.path(call, target))
        for source in sources:
            link = place
            if into is not None and into.kind == "folder" and "n" not in flags and "T" not in flags:
                link = posixpath.join(into.id, posixpath.basename(source.rstrip("/")))
            with self.trying(call, f"failed to create link '{link}'"):
                if (
                    ("f" in flags or "force" in flags)
                    and (old := self.tree.get(link))
                    and old.kind != "folder"
                ):
                    self.disk.remove(link, False)
                if "s" in flags or "symbolic" in flags:
                    self.disk.symlink(source, link)
                elif self.tree.get(link) is not None:
                    raise refusal("exists", link)
                else:
                    self.disk.copy(self.path(call, source), link)

    def do_dd(self, call: Call) -> None:
        """Copy bytes."""
        given = dict(one.partition("=")[::2] for one in call.args)
        unknown = set(given) - {
            "if",
            "of",
            "bs",
            "ibs",
            "obs",
            "count",
            "skip",
            "seek",
            "conv",
            "status",
            "iflag",
            "oflag",
        }
        if unknown:
            raise getopt.GetoptError(f"unrecognized operand '{sorted(unknown)[0]}'")
        block = length(given.get("bs", given.get("ibs", "512")))
        counts = {name: length(given.get(name, "0")) for name in ("count", "skip", "seek")}
        if not block or None in counts.values():
            raise getopt.GetoptError("invalid number")
        with self.trying(call, f"failed to open '{given.get('if', '-')}'"):
            source = self.octets(call, given.get("if", "-"))
            start = (counts["skip"] or 0) * block
            taken = (
                source[start : start + (counts["count"] or 0) * block] if "count" in given else source[start:]
            )
            if "of" not in given:
                call.out += taken.decode(errors="replace")
            else:
                path = self.path(call, given["of"])
                at = (counts["seek"] or 0) * block
                before = b""
                if at or "notrunc" in given.get("conv", ""):
                    before = self.disk.read_file(path) if self.disk.exists(path) else b""
                rest = before[at + len(taken) :] if "notrunc" in given.get("conv", "") else b""
                self.disk.write_file(path, before[:at].ljust(min(at, 1_048_576), b"\0") + taken + rest)
            if given.get("status") != "none":
                whole, part = divmod(len(taken), block)
                call.err += f"{whole}+{int(part > 0)} records in\n{whole}+{int(part > 0)} records out\n{len(taken)} bytes copied\n"

    def do_touch(self, call: Call) -> None:
        """Make files, or set their times."""
        flags, operands = call.options("cmad:t:r:h", "no-create", "date=", "reference=")
        when = self.tree.now
        if said := flags.get("d") or flags.get("date"):
            when = moment(said, self.tree.now) or when
            if moment(said, self.tree.now) is None:
                raise getopt.GetoptError(f"invalid date format '{said}'")
        elif stamp := flags.get("t"):
            digits = re.sub(r"\.\d\d$", "", stamp)
            form = {12: "%Y%m%d%H%M", 10: "%y%m%d%H%M"}.get(len(digits), "%m%d%H%M")
            try:
                when = datetime.strptime(digits, form).replace(tzinfo=UTC)
            except ValueError:
                raise getopt.GetoptError(f"invalid date format '{stamp}'") from None
            when = when.replace(year=self.tree.now.year) if len(digits) == 8 else when
        elif like := flags.get("r") or flags.get("reference"):
            when = self.tree.look(self.path(call, like)).modified
        for operand in call.needing(operands):
            with self.trying(call, f"cannot touch '{operand}'"):
                path = self.path(call, operand)
                old = self.tree.get(path)
                if old is None and "c" not in flags and "no-create" not in flags:
                    self.tree.write(path, "")
                    old = self.tree.look(path)
                if old is not None:
                    self.tree.put(self.tree.look(path, "w").but(modified=when))

    def do_chmod(self, call: Call) -> None:
        """Change the mode of files."""
        # a mode may begin with a dash, as -x does
        options = [one for one in call.args if re.fullmatch("-[RcfvHLP]+|--[a-z-]+", one)]
        mode, *operands = call.needing([one for one in call.args if one not in options], 2)
        if not re.fullmatch(r"[0-7]{1,4}|[ugoa]*[+=-][rwxXst]*(,[ugoa]*[+=-][rwxXst]*){0,8}", mode):
            raise getopt.GetoptError(f"invalid mode: '{mode}'")
        deep = any("R" in one or one == "--recursive" for one in options)
        self._change(call, operands, deep, "permissions", lambda file: {"mode": moded(file, mode)})

    def do_chown(self, call: Call) -> None:
        """Change the owner of files."""
        _, operands = call.options("RhvcfHLP", "recursive", "no-dereference")
        whom, *operands = call.needing(operands, 2)
        owner, _, group = whom.replace(".", ":").partition(":")
        self._give(call, operands, {"owner": owner, "group": group})

    def do_chgrp(self, call: Call) -> None:
        """Change the group of files."""
        _, operands = call.options("RhvcfHLP", "recursive", "no-dereference")
        group, *operands = call.needing(operands, 2)
        self._give(call, operands, {"group": group})

    def _give(self, call: Call, operands: list[str], wanted: dict[str, str]) -> None:
        changes = {name: value for name, value in wanted.items() if value}
        for what, known in (("owner", self.world.logins()), ("group", self.world.groups())):
            if changes.get(what) and changes[what] not in known:
                call.complain(f"invalid {'user' if what == 'owner' else 'group'}: '{changes[what]}'")
                return
        deep = any(re.fullmatch("-[a-zA-Z]*R[a-zA-Z]*|--recursive", one) for one in call.args)
        mine = "owner" not in changes and changes.get("group") in (self.tree.me, *self.tree.account.groups)
        if self.tree.root or mine:
            self._change(call, operands, deep, "ownership", lambda file: changes)
            return
        for operand in operands:
            with self.trying(call, f"cannot access '{operand}'"):
                self.tree.look(self.path(call, operand))
                call.complain(f"changing ownership of '{operand}': Operation not permitted")

    def _change(
        self,
        call: Call,
        operands: list[str],
        deep: bool,
        what: str,
        changes: Callable[[File], dict[str, str]],
    ) -> None:
        for operand in operands:
            with self.trying(call, f"cannot access '{operand}'"):
                path = self.path(call, operand)
                found = self.below(call, operand) if deep else [(operand, self.tree.look(path))]
                for name, file in found:
                    if file.kind == "link":
                        continue
                    if self.tree.me in ("root", self.tree.owner(file)):
                        self.tree.put(file.but(**changes(file)))
                    else:
                        call.complain(f"changing {what} of '{name}': Operation not permitted")

    def do_crontab(self, call: Call) -> None:
        """Show, set or remove what runs at set times."""
        flags, operands = call.options("lreu:i")
        path = f"/var/spool/cron/crontabs/{flags.get('u', self.tree.me)}"
        old = self.tree.get(path)
        if flags.get("u", self.tree.me) != self.tree.me and not self.tree.root:
            call.complain("must be privileged to use -u")
        elif ("l" in flags or "r" in flags) and old is None:
            call.complain(f"no crontab for {flags.get('u', self.tree.me)}")
        elif "l" in flags:
            call.out += old.content if old else ""
        elif "r" in flags:
            self.tree.drop([path])
        else:
            content = content_of(self.octets(call, operands[0] if operands else "-"))
            self.tree.put(
                File(id=path, content=content, owner=self.tree.me, mode="600", modified=self.tree.now)
            )


def moded(file: File, change: str) -> str:
    """Permissions after a change written as chmod takes it.

    >>> moded(File(id="/a"), "go-r"), moded(File(id="/a"), "+x"), moded(File(id="/a"), "600")
    ('600', '755', '600')
    """
    if change.isdigit():
        return f"{int(change, 8):03o}"
    before = file.mode.zfill(4)
    special = int(before[0])
    digits = {who: int(digit) for who, digit in zip("ugo", before[-3:], strict=True)}
    for part in change.split(","):
        whom, sign, what = re.split("([+=-])", part, maxsplit=1)
        runs = file.kind == "folder" or any(digit & 1 for digit in digits.values())
        letters = set(what.replace("X", "x" if runs else ""))
        bits = sum({"r": 4, "w": 2, "x": 1}.get(letter, 0) for letter in letters)
        wide = not whom or "a" in whom
        marks = (
            ("t" in letters)
            + 4 * ("s" in letters and (wide or "u" in whom))
            + 2 * ("s" in letters and (wide or "g" in whom))
        )
        special = special & ~marks if sign == "-" else special | marks
        for who in "ugo" if wide else set(whom):
            old = digits[who]
            digits[who] = old | bits if sign == "+" else old & ~bits if sign == "-" else bits
    return (str(special) if special else "") + "".join(str(digits[who]) for who in "ugo")
