"""Keeps one process of the user's and everything that it starts: a small process between Riskbox and it.

A process that an agent starts in a session of its own, or orphans, would outlive it. So the keeper adopts whatever is
orphaned below it (on Linux), and kills everything below it once nobody wants it any more: when Riskbox closes its end of
the control socket, which the kernel does for it after `kill -9`, when Riskbox's process is gone, and, for a worker of
Ray's, when that worker has ended.

Each episode may start one, so it imports little, and runs without the package: see `COMMAND`. On the control socket it says
`started`, `failed ERRNO`, `exited CODE` and, once nothing is left below it, `alone`; a `T` from there sends SIGTERM to
everything below it.
"""

from __future__ import annotations

# `signal` itself, and `contextlib`, cost as much as all of Python's start
import _signal as signal  # type: ignore[import-not-found]
import ctypes
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = (
    "-I", "-S", "-c",
    f"import sys; sys.path.append({os.path.dirname(os.path.abspath(__file__))!r}); import keeper; keeper.main()",
)  # fmt: skip
"""Arguments of Python that run a keeper, before its options and the command. As a script it would be compiled each time."""
SUBREAPER, DEATH_SIGNAL = 36, 1
"""Options of prctl(2): adopt orphans; be sent a signal when the parent dies."""
FASTEST = 4 * 2**30
"""Bytes a second that a process is assumed to fill at most; how soon it is measured again follows from it."""
ROUNDS = 100
"""How often processes are looked for that a dying tree still starts, before those found so far are killed."""


# --- the processes below one ------------------------------------------------------------------------------------


def families() -> dict[int, list[int]]:
    """Living processes by the id of their parent; none where the system has no /proc."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                state, parent = file.read(4096).rpartition(b")")[2].split(None, 2)[:2]
        except (OSError, ValueError):
            continue  # it has ended meanwhile
        if state not in b"ZX":
            found.setdefault(int(parent), []).append(int(name))
    return found


def below(root: int, found: dict[int, list[int]]) -> list[int]:
    """All descendants of a process."""
    all, at = list(found.get(root, ())), 0
    while at < len(all):
        all += found.get(all[at], ())
        at += 1
    return all


def memory(pids: list[int], limit: int) -> int:
    """Bytes of memory that processes use. Pages that they share count once where the sum would exceed the limit."""
    page, used = os.sysconf("SC_PAGE_SIZE"), 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
                used += int(file.read(256).split()[1]) * page
        except OSError:
            continue  # it has ended meanwhile
    if used <= limit:
        return used
    exact = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                exact += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:"))
        except OSError:
            continue
    return exact or used


def pause(left: int) -> float:
    """Seconds after which to measure again what may grow by so many bytes."""
    return min(0.5, max(0.02, left / FASTEST))


def kill(root: int) -> None:
    """Kill everything below a process. It is stopped first, so that nothing starts what nobody finds."""
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        new = set(below(root, families())) - stopped
        if not new:
            break
        for pid in new:
            send(pid, signal.SIGSTOP)
        stopped |= new
    for pid in stopped:
        send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


# --- the keeper -------------------------------------------------------------------------------------------------


class _Keeper:
    def __init__(self, options: dict[str, str], words: list[str]) -> None:
        self.options, self.words = options, words
        self.control = int(options["control"]) if "control" in options else None
        self.parent = int(options["parent"]) if "parent" in options else os.getppid()
        self.limit = int(options["memory"]) if "memory" in options else None
        self.code: int | None = None
        self.alone = False
        self.over = False

    def keep(self) -> int:
        """Run the command until nobody wants it; the exit code."""
        self.prctl = _prctl()
        self.prctl(SUBREAPER, 1)
        wake, wakes = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # ctrl-C is for Riskbox, which ends us when it has stored
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            try:
                poll.register(os.pidfd_open(self.parent), select.POLLIN)
            except OSError:
                pass  # an old kernel; the control socket ends with it too
        if os.getppid() != self.parent:
            return 1  # it died before it could be watched
        if self.control is not None:
            os.set_inheritable(self.control, False)
            poll.register(self.control, select.POLLIN)
        self.main = self._start()
        wait: float | None = 0.0
        while not self.over:
            ready = poll.poll(None if wait is None else wait * 1000)
            for fd, _ in ready:
                if fd == wake:
                    try:
                        os.read(wake, 4096)
                    except BlockingIOError:
                        pass
                    self._reap()
                elif fd == self.control:
                    self._told()
                else:
                    self.over = True  # Riskbox's process, or Ray's, is gone
            if self.control is None and self.code is not None:
                break
            wait = None if self.limit is None or self.over else self._measure(self.limit)
        while not self.alone:
            kill(os.getpid())
            if os.name == "posix" and self.code is None:
                send(self.main, signal.SIGKILL)  # where there is no /proc
            self._reap()
            if not self.alone:
                time.sleep(0.005)
        return self.code if self.code is not None and self.code >= 0 else 128 - (self.code or 0)

    def _end(self, *_: object) -> None:
        self.over = True

    def _start(self) -> int:
        """Start the command, and return its process id."""
        keeper, (failed, fails) = os.getpid(), os.pipe()
        main = os.fork()
        if not main:
            try:
                os.close(failed)
                for one in ("SIGINT", "SIGTERM", "SIGCHLD", "SIGPIPE", "SIGXFSZ"):
                    signal.signal(getattr(signal, one), signal.SIG_DFL)
                if self.control is not None:
                    os.setsid()
                self.prctl(DEATH_SIGNAL, signal.SIGKILL)
                if os.getppid() != keeper:
                    os._exit(1)
                os.execvpe(self.words[0], self.words, self._environment())
            except OSError as error:
                os.write(fails, str(error.errno).encode())
            finally:
                os._exit(127)
        os.close(fails)
        number = os.read(failed, 16).decode()  # empty once the command runs
        os.close(failed)
        self._tell(f"failed {number}" if number else "started")
        if self.control is not None:
            # whoever reads from it or writes to it must see the end of the command, not that of its keeper
            for fd in (0, 1, 2):
                os.close(fd)
        return main

    def _environment(self) -> dict[str, str]:
        """Our environment, or what is allowed of it."""
        allowed = self.options.get("allowed")
        if allowed is None:
            return dict(os.environ)
        from fnmatch import fnmatchcase

        return {
            name: value
            for name, value in os.environ.items()
            if any(fnmatchcase(name, one) for one in allowed.split())
        }

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                if not self.alone:
                    self.alone = True
                    self._tell("alone")
                return
            if not pid:
                return
            if pid == self.main:
                self.code = os.waitstatus_to_exitcode(status)
                self._tell(f"exited {self.code}")

    def _told(self) -> None:
        assert self.control is not None
        told = os.read(self.control, 64)
        if not told:
            self.over = True
        elif b"T" in told:
            for pid in below(os.getpid(), families()):
                send(pid, signal.SIGTERM)

    def _tell(self, line: str) -> None:
        if self.control is not None:
            try:
                os.write(self.control, line.encode() + b"\n")
            except OSError:
                pass  # nobody listens any more

    def _measure(self, limit: int) -> float | None:
        """Kill everything if it uses too much memory, and say so in the report; else how soon to measure again."""
        used = memory(below(os.getpid(), families()), limit)
        if used <= limit:
            return pause(limit - used)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
        try:
            with open(os.open(self.options["report"], flags, 0o600), "w") as file:
                file.write(str(used))
        except OSError:
            pass  # the disk is full: it ends without the reason
        self.over = True
        return None


def _prctl() -> Callable[[int, int], int]:
    if sys.platform != "linux":
        return lambda option, value: 0
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda option, value: int(libc.prctl(option, value, 0, 0, 0))


def main() -> None:
    """Keep what the command line names: options as lines of NAME=VALUE, and the command."""
    options = dict(line.split("=", 1) for line in sys.argv[1].splitlines())
    os._exit(_Keeper(options, sys.argv[2:]).keep())
