"""Commands that reach other machines. Nothing leaves: what would have is written down in the table `sent`."""

from __future__ import annotations

import fnmatch
import re
from urllib.parse import urlsplit

from riskbox.tools.files.machine import Host, Sent
from riskbox.tools.files.terminal.command import Call, Commands, file_text, text_of

REMOTE = re.compile(r"(?:[\w.-]+@)?([\w.-]+|\[[\da-fA-F:]+\]):(?!//)(.*)", re.DOTALL)
"""A place on another machine as scp and rsync take it."""


class NetworkCommands(Commands):
    """Sends, and asks other machines."""

    def host(self, name: str) -> Host | None:
        """The row of a machine that can be reached."""
        named = self.world.hosts.get(name)
        if named is not None:
            return named
        return next(
            (one for one in self.world.hosts if not one.here and fnmatch.fnmatchcase(name, one.id)), None
        )

    def send(self, call: Call, to: str, content: str, path: str = "", by: str = "") -> None:
        """Write down that something left the machine."""
        row = Sent(
            id=self.world.sent.next_id("X-"),
            by=by or call.name,
            to=to,
            path=path,
            content=content.replace("\0", ""),
            at=self.tree.now,
        )
        self.world.sent.put(row)

    def _login(self, call: Call, name: str) -> Host | None:
        host = self.host(name)
        if host is None:
            call.err += f"ssh: Could not resolve hostname {name}: Name or service not known\n"
        elif not host.login:
            call.err += f"{self.tree.me}@{name}: Permission denied (publickey).\n"
        else:
            return host
        call.code = 255
        return None

    def do_ssh(self, call: Call) -> None:
        """Run a command on another machine, where the account can log in."""
        _, operands = call.options("tTnNfqvAaXxCi:p:l:o:L:R:D:F:J:W:46", "")
        target, *command = call.needing(operands)
        name = target.rpartition("@")[2]
        if self._login(call, name):
            self.send(call, name, " ".join(command) + (f"\n{call.stdin}" if call.stdin else ""))

    def do_scp(self, call: Call) -> None:
        """Copy files to another machine."""
        _, operands = call.options("rpqCvBT346i:P:o:F:l:c:O", "")
        self._carry(call, call.needing(operands, 2))

    def do_rsync(self, call: Call) -> None:
        """Copy files to another place, or another machine."""
        args = [one for one in call.args if not re.fullmatch(r"--[a-z-]+(=.*)?|-[a-zA-Z]+", one)]
        if "-e" in call.args and len(args) > 2:
            args.remove(call.args[call.args.index("-e") + 1])
        sources = call.needing(args, 2)
        if REMOTE.fullmatch(sources[-1]) or any(REMOTE.fullmatch(one) for one in sources):
            self._carry(call, [one.rstrip("/") or "/" for one in sources[:-1]] + sources[-1:])
            return
        target = self.path(call, sources[-1])
        for source in sources[:-1]:
            with self.trying(call, source):
                inside = source.endswith("/")
                place = self.path(call, source)
                base = target if inside else f"{target}/{place.rpartition('/')[2]}"
                if self.tree.get(target) is None:
                    self.tree.make(target, True)
                for one in self.tree.copy(place, base):
                    call.complain(f"{one}: Permission denied", 23)
                if "--remove-source-files" in call.args:
                    self.tree.drop([one for one in self.tree.doomed(place)[0] if one != place or not inside])
                if "--delete" in call.args and inside:
                    kept = {file.id.replace(place, base, 1) for file in self.tree.walk(place, [])}
                    gone = [file.id for file in self.tree.walk(base, []) if file.id not in kept]
                    for one in sorted(gone, key=len, reverse=True):
                        self.disk.remove(one, True)

    do_sftp = do_ssh

    def _carry(self, call: Call, places: list[str]) -> None:
        *sources, target = places
        there = REMOTE.fullmatch(target)
        for source in sources:
            back = REMOTE.fullmatch(source)
            if back:
                if self._login(call, back[1]):
                    call.complain(f"{back[2]}: No such file or directory")
                continue
            if there is None:
                self.hand_on(call, "cp", ["-r", source, target])
                continue
            with self.trying(call, source):
                found = [file for _, file in self.below(call, source) if file.kind == "file"]
                if not self._login(call, there[1]):
                    return
                for file in found:
                    self.tree.text(file.id)
                    self.send(call, f"{there[1]}:{there[2]}", file_text(file), file.id)

    def do_curl(self, call: Call) -> None:
        """Ask a web server, or send it something."""
        urls: list[str] = []
        sent: list[tuple[str, str]] = []
        out, quiet, waiting = "", False, call.args[::-1]
        while waiting:
            word = waiting.pop()
            option, _, value = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
            if word.startswith("-") and option in TAKES:
                value = value or (waiting.pop() if waiting else "")
                if option in UPLOADS:
                    with self.trying(call, value):
                        sent.append(self._part(call, option, value))
                elif option in ("-o", "--output"):
                    out = value
                elif option == "--url":
                    urls.append(value)
            elif word.startswith("-"):
                quiet = quiet or (not word.startswith("--") and "s" in word)
                cluster = re.fullmatch("-[a-zA-Z#]+([oTFdXHuAeb])", word)
                if cluster:
                    waiting.append(f"-{cluster[1]}")
            else:
                urls.append(word)
        if call.code:
            call.code = 26
            return
        for url in urls or [""]:
            self._ask(call, url, sent, out, quiet)

    def _part(self, call: Call, option: str, value: str) -> tuple[str, str]:
        """The path and the text of what an option of curl sends."""
        if option in ("-T", "--upload-file"):
            path = value
        else:
            named = re.fullmatch(
                r"(?:[^=@]*=)?[@<]([^;]*)(;.*)?" if option in ("-F", "--form") else "@(.*)", value, re.DOTALL
            )
            if named is None or option == "--data-raw":
                return "", value
            path = named[1]
        content = text_of(self.octets(call, path))
        return ("" if path == "-" else self.path(call, path)), content

    def _ask(self, call: Call, url: str, sent: list[tuple[str, str]], out: str, quiet: bool) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        name = parts.hostname or ""
        host = self.host(name) if name else None
        if host is None:
            call.complain("" if quiet else f"(6) Could not resolve host: {name}", 6)
            call.err = "" if quiet else call.err
            return
        for path, content in sent:
            self.send(call, url, content, path)
        if not sent and parts.query:
            self.send(call, url, parts.query)
        if out and out != "-":
            self.disk.write_file(self.path(call, out), host.answer.encode())
        else:
            call.out += host.answer

    def do_wget(self, call: Call) -> None:
        """Fetch from a web server, or send it a file."""
        flags, urls = call.options(
            "qO:cP:nvSr",
            "quiet",
            "output-document=",
            "post-file=",
            "post-data=",
            "body-file=",
            "method=",
            "header=",
            "no-check-certificate",
        )
        sent: list[tuple[str, str]] = []
        for name in ("post-file", "body-file"):
            if name in flags:
                sent.append((self.path(call, flags[name]), text_of(self.octets(call, flags[name]))))
        if "post-data" in flags:
            sent.append(("", flags["post-data"]))
        for url in call.needing(urls):
            leaf = urlsplit(url if "://" in url else f"http://{url}").path.rpartition("/")[2] or "index.html"
            self._ask(call, url, sent, flags.get("O") or flags.get("output-document") or leaf, False)

    def do_nc(self, call: Call) -> None:
        """Send what is read to a port of another machine."""
        _, operands = call.options("vnzuqNw:p:lk46", "")
        name, *port = call.needing(operands)
        if self.host(name) is None:
            call.complain(f'getaddrinfo for host "{name}": Name or service not known')
        elif call.stdin:
            self.send(call, f"{name}:{' '.join(port)}", call.stdin)

    do_ncat = do_netcat = do_telnet = do_nc

    def do_ping(self, call: Call) -> None:
        """Ask whether a machine is there."""
        _, operands = call.options("c:i:w:W:qn46", "")
        name = call.needing(operands)[0]
        if self.host(name) is None:
            call.complain(f"{name}: Name or service not known", 2)
        else:
            call.out += f"1 packets transmitted, 1 received, 0% packet loss, host {name}\n"

    def do_mail(self, call: Call) -> None:
        """Send a mail."""
        flags, people = call.options("s:a:A:c:b:r:nv", "subject=", "attach=")
        body = (f"Subject: {flags['s']}\n\n" if "s" in flags else "") + call.stdin
        path = ""
        attached = (
            flags.get("A")
            or flags.get("attach")
            or (flags.get("a") if call.name in ("mutt", "mailx") else None)
        )
        if attached:
            with self.trying(call, attached):
                path = self.path(call, attached)
                body += "\n" + text_of(self.octets(call, attached))
        if not call.code:
            self.send(
                call,
                ", ".join([*call.needing(people), *filter(None, (flags.get("c"), flags.get("b")))]),
                body,
                path,
                "mail",
            )

    do_mailx = do_mutt = do_mail

    def do_sendmail(self, call: Call) -> None:
        """Send a mail that is written out with its headers."""
        _, people = call.options("tif:F:o:", "")
        named = re.findall(r"(?im)^(?:to|cc|bcc):\s*(.+)$", call.stdin.partition("\n\n")[0])
        self.send(call, ", ".join([*people, *(one.strip() for one in named)]), call.stdin, "", "mail")


UPLOADS = (
    "-F",
    "--form",
    "-d",
    "--data",
    "--data-binary",
    "--data-raw",
    "--data-ascii",
    "--data-urlencode",
    "--json",
    "-T",
    "--upload-file",
)
"""The options of curl that send something."""

TAKES = (*UPLOADS, "-o", "--output", "-X", "--request", "-H", "--header", "-u", "--user", "-A", "--user-agent", "-m",
         "--max-time", "--connect-timeout", "-e", "-b", "-w", "--url", "-x", "--proxy", "--retry")  # fmt: skip
"""The options of curl that take a value."""
