"""Commands about who works on the machine and what runs there."""

from __future__ import annotations

import getopt
import re

from riskbox.tools.files.rows import Account, Process
from riskbox.tools.files.terminal.command import Call, Commands


class ProcessCommands(Commands):
    """Tells of users and processes, and ends processes."""

    def do_whoami(self, call: Call) -> None:
        """Print the user's name."""
        call.out += self.tree.me + "\n"

    do_logname = do_whoami

    def do_id(self, call: Call) -> None:
        """Print the user's ids."""
        flags, operands = call.options("unGgr")
        login = operands[0] if operands else self.tree.me
        if login not in self.world.logins():
            call.complain(f"'{login}': no such user")
            return
        groups = self._groups(login)
        if "u" in flags or "g" in flags:
            call.out += f"{login if 'n' in flags else self._number(login)}\n"
        elif "G" in flags:
            call.out += (
                " ".join(groups if "n" in flags else [str(self._number(one)) for one in groups]) + "\n"
            )
        else:
            said = ",".join(f"{self._number(one)}({one})" for one in groups)
            own = self._number(login)
            call.out += f"uid={own}({login}) gid={own}({login}) groups={said}\n"

    def do_groups(self, call: Call) -> None:
        """Print the user's groups."""
        call.out += " ".join(self._groups(call.args[0] if call.args else self.tree.me)) + "\n"

    def _groups(self, login: str) -> list[str]:
        account = self.world.account(login)
        return [login, *(account.groups if account else ())]

    def _number(self, name: str) -> int:
        known = [*self.world.logins(), *sorted(self.world.groups())]
        return 0 if name == "root" else 1000 + (known.index(name) if name in known else 0)

    def do_ps(self, call: Call) -> None:
        """List processes."""
        wanted = re.search(r"-p\s*([\d, ]+)", " ".join(call.args))
        only = set(re.split("[, ]+", wanted[1].strip())) if wanted else None
        call.out += f"{'USER':<10}{'PID':>7}  {'STARTED':<16}  COMMAND\n"
        for one in self._processes():
            if only is None or one.id in only:
                call.out += (
                    f"{self._runs_as(one):<10}{one.id:>7}  {one.started:%Y-%m-%d %H:%M}  {one.command}\n"
                )

    do_top = do_ps

    def do_pgrep(self, call: Call) -> None:
        """Print the numbers of processes by name."""
        flags, found = self._matching(call)
        for one in found:
            call.out += f"{one.id} {one.command}\n" if "a" in flags or "l" in flags else f"{one.id}\n"
        call.code = 0 if found else 1

    def do_pkill(self, call: Call) -> None:
        """End processes by name."""
        _, found = self._matching(call)
        for one in found:
            self._end(call, one)
        call.code = call.code or (0 if found else 1)

    def do_killall(self, call: Call) -> None:
        """End processes of a program."""
        for name in [one for one in call.args if not one.startswith("-")]:
            found = [one for one in self._processes() if one.command.split()[0].rsplit("/", 1)[-1] == name]
            for one in found:
                self._end(call, one)
            if not found:
                call.complain(f"{name}: no process found")

    def _matching(self, call: Call) -> tuple[dict[str, str], list[Process]]:
        call.args = [one for one in call.args if not re.fullmatch(r"-(\d{1,2}|(SIG)?[A-Z]+)", one)]
        flags, operands = call.options("falu:xons:e", "signal=", "full")
        wanted = operands[0] if operands else ""
        if not operands and "u" not in flags:
            raise getopt.GetoptError("no matching criteria specified")
        found = []
        for one in self._processes():
            text = (
                one.command if "f" in flags or "full" in flags else one.command.split()[0].rsplit("/", 1)[-1]
            )
            hit = (
                text == wanted
                if "x" in flags
                else all(part in text for part in re.split(r"\.\*|[\^$]", wanted))
            )
            if hit and flags.get("u", self._runs_as(one)) == self._runs_as(one):
                found.append(one)
        return flags, found

    def do_kill(self, call: Call) -> None:
        """End a process."""
        if "-l" in call.args:
            call.out += "HUP INT QUIT KILL TERM\n"
            return
        args, waiting = [], call.args[::-1]
        while waiting:
            word = waiting.pop()
            if word in ("-s", "-n") and waiting:
                waiting.pop()
            elif not re.fullmatch(r"-(\d{1,2}|(SIG)?[A-Z]+|-)", word):
                args.append(word)
        for pid in call.needing(args):
            process = self.world.processes.get(pid)
            if process is None:
                call.complain(f"({pid}) - No such process")
            elif re.search(r"(^|\s)-(s )?0(\s|$)", " ".join(call.args)) is None:
                self._end(call, process)

    def _end(self, call: Call, process: Process) -> None:
        if self.tree.me in ("root", self._runs_as(process)):
            self.world.processes.remove(process.id)
        else:
            call.complain(f"({process.id}) - Operation not permitted")

    def _processes(self) -> list[Process]:
        return sorted(self.world.processes, key=lambda one: int(one.id))

    def _runs_as(self, process: Process) -> str:
        return process.owner or self.world.acting().id

    def do_su(self, call: Call) -> None:
        """Become another user, whose password nobody can type here."""
        call.complain("Authentication failure")

    def do___become(self, call: Call) -> None:
        """What the function sudo asks for: go on as another user, or as oneself again."""
        acting = self.world.acting()
        login = call.args[0] if call.args else "root"
        if login == "-":
            self.tree.act_as(acting)
            return
        call.name = "sudo"
        account = self.world.account(login) or (Account(id="root") if login == "root" else None)
        if not acting.sudo and acting.id != "root":
            call.complain(f"{acting.id} is not in the sudoers file.")
        elif account is None:
            call.complain(f"unknown user {login}")
        else:
            self.tree.act_as(account)


SUDO = r"""sudo() {
  local __user=root
  while [[ $1 == -* ]]; do
    case $1 in
      -u|--user) __user=$2; shift 2;;
      -g|-p|-C|-h) shift 2;;
      --) shift; break;;
      *) shift;;
    esac
  done
  __become "$__user" </dev/null || return 1
  [[ $1 == *=* ]] && set -- env "$@"
  [[ $# == 0 ]] || "$@"
  set -- $?
  __become - </dev/null
  return $1
}"""
"""The function that a shell begins with. It runs in the shell, so that what it runs reads and writes as anything else."""
