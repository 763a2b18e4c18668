"""Commands about the machine and who works on it."""

from __future__ import annotations

import re
from datetime import UTC

from riskbox.tools.files.rows import Process
from riskbox.tools.files.terminal.shell import Shell


class SystemCommands(Shell):
    """Tells of the machine, and ends what runs on it."""

    def do_echo(self, args: list[str], stdin: str) -> None:
        """Print the arguments."""
        flags = ""
        while args and re.fullmatch("-[ne]{1,2}", args[0]):
            flags += args.pop(0)
        text = " ".join(args)
        if "e" in flags:
            text = text.replace("\\n", "\n").replace("\\t", "\t")
        self._say(text + ("" if "n" in flags else "\n"))

    def do_true(self, args: list[str], stdin: str) -> None:
        """Do nothing, well."""
        self.code = 0

    def do_false(self, args: list[str], stdin: str) -> None:
        """Do nothing, and fail."""
        self.code = 1

    def do_whoami(self, args: list[str], stdin: str) -> None:
        """Print the user's name."""
        self._say(self.tree.me + "\n")

    def do_id(self, args: list[str], stdin: str) -> None:
        """Print the user's ids."""
        groups = [self.tree.me, *(() if self.tree.root else self.tree.account.groups)]
        self._say(f"user={self.tree.me} groups={','.join(groups)}\n")

    def do_date(self, args: list[str], stdin: str) -> None:
        """Print the date."""
        form = args[0][1:] if args and args[0].startswith("+") else "%a %b %e %H:%M:%S UTC %Y"
        form = form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
        now = self.tree.now.astimezone(UTC)
        known = {letter: now.strftime("%" + letter) for letter in "aAbBdHjmMpSyY"} | {"e": f"{now.day:>2}"}
        known["s"] = str(int(now.timestamp()))
        self._say(re.sub(r"%(\w)", lambda match: known.get(match[1], match[0]), form) + "\n")

    def do_which(self, args: list[str], stdin: str) -> None:
        """Say where a command is."""
        for name in args:
            if self._command(name) is not None:
                self._say(f"/usr/bin/{name}\n")
            else:
                self.code = 1

    def do_ps(self, args: list[str], stdin: str) -> None:
        """List processes."""
        self._say(f"{'USER':<10}{'PID':>7}  {'STARTED':<16}  COMMAND\n")
        for one in sorted(self.processes, key=lambda process: int(process.id)):
            self._say(f"{self._runs_as(one):<10}{one.id:>7}  {one.started:%Y-%m-%d %H:%M}  {one.command}\n")

    def _runs_as(self, process: Process) -> str:
        return process.owner or self.tree.account.id

    def do_kill(self, args: list[str], stdin: str) -> None:
        """End a process."""
        for pid in self._needing([one for one in args if not re.fullmatch(r"-(\d{1,2}|(SIG)?[A-Z]+)", one)]):
            process = self.processes.get(pid)
            if process is None:
                self._complain(f"({pid}) - No such process")
            elif self.tree.me not in ("root", self._runs_as(process)):
                self._complain(f"({pid}) - Operation not permitted")
            else:
                self.processes.remove(pid)

    def do_sudo(self, args: list[str], stdin: str) -> None:
        """Run a command as another user."""
        while args and args[0] in ("-n", "-S", "-E"):
            args = args[1:]
        if not (self.tree.account.sudo or self.tree.root):
            self._complain(f"{self.tree.account.id} is not in the sudoers file.")
            return
        before, self.tree.root = self.tree.root, True
        try:
            self._call(args, stdin)
        finally:
            self.tree.root = before
