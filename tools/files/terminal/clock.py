"""Commands that ask for the time, or for chance: both are the world's, so that the same call gives the same bytes."""

from __future__ import annotations

import getopt
import re
import string
from datetime import UTC, timedelta

from riskbox.tools.files.rows import EPOCH
from riskbox.tools.files.terminal.command import Call, Commands, number, told
from riskbox.tools.files.terminal.moment import moment

LETTERS = string.ascii_letters + string.digits


class ClockCommands(Commands):
    """Tells the time, and draws."""

    def do_date(self, call: Call) -> None:
        """Print the date."""
        when, rest, waiting = self.tree.now, [], call.args[::-1]
        while waiting:
            word = waiting.pop()
            found = re.fullmatch(r"(-d|-r|-s|--date=?|--reference=?|--set=?)(.*)", word, re.DOTALL)
            if found is None:
                rest.append(word)
                continue
            value = found[2] or (waiting.pop() if waiting else "")
            if found[1] in ("-s", "--set", "--set="):
                call.complain("cannot set date: Operation not permitted")
                return
            if found[1] in ("-r", "--reference", "--reference="):
                when = self.tree.look(self.path(call, value)).modified
                continue
            meant = moment(value, self.tree.now)
            if meant is None:
                call.complain(f"invalid date '{value}'")
                return
            when = meant
        self.hand_on(call, "date", ["-d", f"@{int(when.timestamp())}", *rest])

    def do_sleep(self, call: Call) -> None:
        """Wait; no time passes in the world while a command runs."""
        for operand in call.needing(call.args):
            if not re.fullmatch(r"\d{0,9}(\.\d{1,9})?[smhd]?|infinity", operand) or not operand:
                raise getopt.GetoptError(f"invalid time interval '{operand}'")

    def do_uptime(self, call: Call) -> None:
        """Print since when the machine runs."""
        known = [one.started for one in self.world.processes if one.started > EPOCH]
        first = min(known, default=self.tree.now - timedelta(days=12))
        up = max(timedelta(), self.tree.now - first)
        hours, minutes = divmod(up.seconds // 60, 60)
        call.out += f" {self.tree.now.astimezone(UTC):%H:%M:%S} up {up.days} days, {hours:>2}:{minutes:02},  1 user,  load average: 0.42, 0.37, 0.31\n"

    def do_mktemp(self, call: Call) -> None:
        """Make a file or folder of a new name."""
        flags, operands = call.options("dup:tq", "directory", "tmpdir", "suffix=", "dry-run")
        template = operands[0] if operands else "tmp.XXXXXXXXXX"
        marks = re.search("X{3,}$", template)
        if marks is None:
            raise getopt.GetoptError(f"too few X's in template '{template}'")
        name = (
            template[: marks.start()]
            + "".join(self.random.choices(LETTERS, k=len(marks[0])))
            + flags.get("suffix", "")
        )
        if not operands or "t" in flags or "p" in flags or "tmpdir" in flags:
            name = f"{flags.get('p') or '/tmp'}/{name}"
        path = self.path(call, name)
        if "d" in flags or "directory" in flags:
            self.tree.make(path)
            self.tree.put(self.tree.look(path).but(mode="700"))
        else:
            self.tree.write(path, "")
            self.tree.put(self.tree.look(path).but(mode="600"))
        call.out += name + "\n"

    def do_uuidgen(self, call: Call) -> None:
        """Print a new random id."""
        digits = f"{self.random.getrandbits(128):032x}"
        call.out += f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}\n"

    def do_shuf(self, call: Call) -> None:
        """Print lines in a random order."""
        flags, operands = call.options(
            "n:ei:rz", "head-count=", "echo", "input-range=", "repeat", "random-source="
        )
        span = flags.get("i") or flags.get("input-range")
        if span:
            low, _, high = span.partition("-")
            if number(high) - number(low) > 100_000:
                raise getopt.GetoptError(f"invalid input range '{span}'")
            lines = [str(n) for n in range(number(low), number(high) + 1)]
        elif "e" in flags or "echo" in flags:
            lines = operands
        else:
            lines = self.octets(call, operands[0] if operands else "-").decode(errors="replace").splitlines()
        self.tree.spend(10 * len(lines))
        self.random.shuffle(lines)
        count = flags.get("n") or flags.get("head-count")
        call.out += "".join(line + "\n" for line in lines[: number(count) if count else None])

    # --- commands of bashkit that would look at another clock, or draw elsewhere

    def do_sort(self, call: Call) -> None:
        """Sort lines."""
        drawn = [one for one in call.args if one in ("-R", "--random-sort", "--sort=random")]
        if not drawn:
            self.hand_on(call, "sort", call.args)
            return
        call.args = [one for one in call.args if one not in drawn]
        self.do_shuf(call)

    def do_awk(self, call: Call) -> None:
        """Run an awk program."""
        args, now = list(call.args), int(self.tree.now.timestamp())
        for at, word in enumerate(args):
            if at and args[at - 1] in ("-F", "-v", "-f"):
                continue
            word = re.sub(r"\bsrand\s*\(\s*\)", f"srand({self.random.getrandbits(31)})", word)
            word = re.sub(r"\bsystime\s*\(\s*\)", str(now), word)
            args[at] = re.sub(
                r"(\bstrftime\s*\((?:\s*\"[^\"]*\")?\s*)\)", lambda found: _timed(found[1], now), word
            )
        self.hand_on(call, "awk", args)

    do_gawk = do_mawk = do_nawk = do_awk

    def do_jq(self, call: Call) -> None:
        """Run a jq filter."""
        now = str(int(self.tree.now.timestamp()))
        args = [
            word if word.startswith("-") else re.sub(r"(?<![\w.$\"/-])now(?![\w\"/.-])", now, word)
            for word in call.args
        ]
        self.hand_on(call, "jq", args)

    def do_find(self, call: Call) -> None:
        """Find files."""
        first = next((n for n, one in enumerate(call.args) if one[:1] in ("-", "!", "(")), len(call.args))
        tops, rest, args = (
            call.args[:first],
            call.args[: first - 1 if first else None : -1],
            call.args[:first],
        )
        if not first:
            rest = call.args[::-1]
        while rest:
            word = rest.pop()
            age = re.fullmatch(r"-[amc](time|min)", word)
            if age and rest:
                args += self._aged(rest.pop(), 86_400 if age[1] == "time" else 60)
            elif re.fullmatch("-newer[amc]t", word) and rest:
                meant = moment(said := rest.pop(), self.tree.now)
                if meant is None:
                    call.complain(f"I cannot figure out how to interpret '{said}' as a date or time")
                    return
                args += ["-newermt", f"@{int(meant.timestamp())}"]
            elif word in ("-user", "-group", "-nouser") and (rest or word == "-nouser"):
                args += self._owned(call, tops or ["."], word, rest.pop() if word != "-nouser" else "")
            else:
                args.append(word)
        self.hand_on(call, "find", args)

    def _aged(self, said: str, unit: int) -> list[str]:
        """A test of an age in units, of which a part that is begun does not count, as tests of a time."""
        count, now = number(said), int(self.tree.now.timestamp())
        if said[0] == "-":
            return ["-newermt", f"@{now + count * unit}"]
        older = ["!", "-newermt", f"@{now - (count + (said[0] == '+')) * unit}"]
        return older if said[0] == "+" else ["(", *older, "-newermt", f"@{now - (count + 1) * unit}", ")"]

    def _owned(self, call: Call, tops: list[str], test: str, whom: str) -> list[str]:
        found: list[str] = []
        for top in tops:
            place = self.path(call, top)
            for file in self.tree.walk(place, []):
                owner = self.tree.owner(file)
                mine = {"-user": owner, "-group": file.group or owner}.get(test, "")
                if mine == whom if test != "-nouser" else owner not in self.world.logins():
                    found += ["-o", "-path", re.sub(r"([*?[\\])", r"\\\1", told(top, place, file.id))]
        return ["(", *found[1:], ")"] if found else ["!", "-path", "*"]


def _timed(call: str, now: int) -> str:
    return f"{call}, {now})" if '"' in call else f'{call}"%a %b %e %H:%M:%S UTC %Y", {now})'
