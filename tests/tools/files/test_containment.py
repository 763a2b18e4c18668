"""The terminal reaches nothing but the world, ends, and gives the same bytes for the same seed."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.tools.files.terminal import bridge, shell
from riskbox.tools.files.toolset import Files
from tests.tools.files.world import NOW, WORLD, Drive

# --- the host --------------------------------------------------------------------------------------------------------


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the host that holds a word which must not be seen, and an environment that holds it too."""
    path = tmp_path / "host.txt"
    path.write_text("HOST-CANARY\n")
    monkeypatch.setenv("HOST_SECRET", "HOST-CANARY")
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize(
    "command",
    [
        "cat {0}",
        "cat host.txt ./host.txt ../../../../../../..{0}",
        "head -c 100 < {0}",
        "source {0}; . {0}",
        "bash {0}",
        "ln -s {0} l; cat l; cp l k; cat k; readlink -f l",
        "ln -s / r; cat r{0}; ls r/home r/work r/root",
        "ln -s ../../../../../../../../.. up; cat up{0}",
        "tar cf - {0} | strings; cp {0} x; cat x",
        "find / -name host.txt; grep -r HOST-CANARY / 2> /dev/null",
        "cat /proc/self/environ /proc/*/environ /proc/self/cmdline /proc/1/root{0}",
        "ls -l /proc/self/fd /dev/fd; cat /proc/self/fd/*",
        "cat /dev/fd/3 <&3; exec 4<{0}; cat <&4",
        "env; printenv; set; export -p; echo $HOST_SECRET",
        'awk \'BEGIN{{while((getline l < "{0}") > 0) print l; print ENVIRON["HOST_SECRET"]}}\'',
        "sed 'r {0}' notes.txt; sed -n 'w {0}' notes.txt",
        "jq -n 'env, $ENV'; jq -R . {0}; jq -n --rawfile a {0} '$a'",
        "mapfile -t a < {0}; echo ${{a[@]}}; read x < {0}; echo $x",
        "diff {0} notes.txt; cat <(cat {0}); xargs -a {0}; split {0}; patch -i {0}",
        "echo gone > {0}; rm -f {0}; mv {0} x; truncate -s 0 {0}; sed -i s/H/x/ {0}; tee {0} < notes.txt",
        "mkdir -p $(dirname {0}); echo over > {0}; rm -rf $(dirname {0}) /tmp/*",
        "cat 'file://{0}'; curl file://{0}; wget file://{0}; scp {0} x@localhost:",
    ],
)
def test_no_file_of_the_host_is_read_or_written(marked: Path, command: str) -> None:
    drive = Drive()
    before = sorted(marked.parent.rglob("*"))
    drive.call("run", command=command.format(marked))
    outcome = json.dumps([drive.last.result, drive.last.error, list(drive.last.patch)])
    assert "HOST-CANARY" not in outcome.replace("grep -r HOST-CANARY", "")
    assert marked.read_text() == "HOST-CANARY\n"
    assert sorted(marked.parent.rglob("*")) == before


def test_no_network_is_reached() -> None:
    drive = Drive(
        {**WORLD, "hosts": [{"id": "127.0.0.1", "login": True}, {"id": "localhost", "login": True}]}
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        for command in (
            f"exec 3<>/dev/tcp/127.0.0.1/{port}; echo hi >&3; cat <&3",
            f"echo hi > /dev/tcp/127.0.0.1/{port}; cat < /dev/udp/127.0.0.1/{port}",
            f"curl -s http://127.0.0.1:{port}/; wget -q http://localhost:{port}/; http GET http://127.0.0.1:{port}",
            f"nc 127.0.0.1 {port} < notes.txt; ssh -p {port} localhost id; command curl http://127.0.0.1:{port}",
            f"enable -n curl; unset -f curl; builtin curl http://127.0.0.1:{port}; /usr/bin/curl http://localhost:{port}",
            f"find . -maxdepth 0 -exec curl http://127.0.0.1:{port} \\;; awk 'BEGIN{{ \"curl http://127.0.0.1:{port}\" | getline }}'",
            f"awk 'BEGIN{{s=\"/inet/tcp/0/127.0.0.1/{port}\"; print \"x\" |& s}}'; jq -n 'input' http://127.0.0.1:{port}",
        ):
            drive.call("run", command=command)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_process_is_started() -> None:
    drive = Drive()
    before = set(os.listdir("/proc")) if Path("/proc").exists() else set()
    drive.sh("sleep 5 & (sleep 9) & nohup sleep 9 & python3 -c 1; perl -e 1; coproc cat; wait -n; jobs")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    ).stdout
    assert len(children.split()) <= 1 and before  # ps itself


# --- bounds ----------------------------------------------------------------------------------------------------------

HOSTILE = {
    "fork bomb": ":(){ :|:& };:",
    "endless loop": "while :; do :; done",
    "endless loop in awk": "awk 'BEGIN{while(1){}}'",
    "endless loop in sed": "echo a | sed ':a;ba'",
    "endless text in awk": "awk 'BEGIN{s=\"a\"; while(1) s=s s}'",
    "endless jq": "jq -n 'last(range(1000000000))'",
    "recursion in jq": "jq -n 'def f: f; f'",
    "evaluates itself": 'a=\'eval "$a"\'; eval "$a"',
    "evaluates itself in pipes": 'a=\'eval "$a" | cat\'; eval "$a"',
    "evaluates itself substituted": 'a=\'x=$(eval "$a")\'; eval "$a"',
    "calls itself": "f() { f; }; f",
    "calls itself twice": "f() { f|f; }; f",
    "sources itself": "echo '. /tmp/x' > /tmp/x; . /tmp/x",
    "runs itself": "echo 'sh /tmp/x' > /tmp/x; sh /tmp/x",
    "trap": "trap 'eval \"$a\"' DEBUG; a=': ; :'; :",
    "huge output": "yes | head -c 100000000",
    "huge count": "seq 1 1000000000",
    "huge braces": "echo {1..10000000}",
    "huge pad": "printf '%1000000000d' 1",
    "huge variable": "x=a; for i in {1..40}; do x=$x$x; done; echo ${#x}",
    "huge file": "dd if=/dev/zero of=x bs=1M count=1000; for i in {1..30}; do cat x x > y; mv y x; done",
    "zero": "cat /dev/zero | tr '\\0' x; sort /dev/urandom | wc",
    "many files": "for i in {1..3000}; do echo $i > f$i; done",
    "deep folders": "mkdir -p " + "a/" * 900 + "; while mkdir d; do cd d; done",
    "long name": "touch " + "x" * 5_000,
    "find that runs find": "find / -exec find / -exec find / \\; \\;",
    "find that sorts": "find / -exec sh -c 'sort -R /dev/urandom | awk 1' \\;",
    "copies": "for i in 1 2 3 4 5 6 7 8 9; do cp -r . /tmp/a; cp -r /tmp /tmp/a; cp -r /tmp/a .; done",
    "expression": "grep -E '(((((a+)+)+)+)+)+b' long; [[ $(cat long) =~ (a*)*b ]]",
    "nested substitution": "echo " + "$(" * 900 + ")" * 900,
    "nested groups": "{ " * 900,
    "nested quotes": 'echo "' + "$(" * 500,
    "arithmetic": "echo $((" + "(" * 1_500 + "1; echo $((9**99999)) $((1/0))",
    "parameters": "echo " + "${x:=" * 800,
    "waits": "sleep infinity; read -t 99 x < /dev/tty; tail -f notes.txt; wait; timeout 99 cat",
    "bc": "echo '9^9^9^9' | bc; expr 9 '*' 9; factor 170141183460469231731687303715884105727",
    "links": "ln -s a b; ln -s b a; cat a; ls -R; cp -rL . /tmp/q; find -L .",
    "exits": "exit 3; kill -9 $$; kill 1; exec false",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_every_line_ends(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "SECONDS", 1.5)
    rows = [
        {"id": "/home/agent/long", "content": "a" * 200_000 + "\n"},
        *({"id": f"/srv/d{n % 9}/e{n % 7}/f{n}", "content": "text\n"} for n in range(300)),
    ]
    bases = Files.parse({"files": rows})
    began = time.perf_counter()
    outcome = Files.call("run", {"command": HOSTILE[name]}, bases, {}, NOW, 1)
    assert (
        time.perf_counter() - began < 20
    )  # 5 seconds, and room for a busy machine; measured: most below a second
    if outcome.error is None:
        assert len(outcome.result["stdout"]) < 21_000
        assert len(outcome.result["stderr"]) < 21_000
    elif outcome.error["code"] == "timed_out":
        assert not outcome.patch
    assert Files.call("run", {"command": "echo alive"}, bases, {}, NOW, 1).result["stdout"] == "alive\n"


def test_too_much_work_stops_but_keeps_what_was_done() -> None:
    drive = Drive({"files": [{"id": "/home/agent/long", "content": "a" * 250_000 + "\n"}]})
    _, stderr, code = drive.sh("echo hi > kept; cat " + "long " * 700 + "> /dev/null; echo no > late")
    assert code and "too much" in stderr
    assert drive.content("/home/agent/kept") == "hi\n"
    assert "/home/agent/late" not in drive.paths()


def test_what_took_too_long_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "SECONDS", 0.5)
    drive = Drive()
    error = drive.error("run", command="rm notes.txt; :(){ :|:& };:")
    assert error["code"] == "timed_out"
    assert drive.changes == {} and "/home/agent/notes.txt" in drive.paths()


@pytest.mark.parametrize(
    "name",
    [
        "\n",
        "-rf",
        "*",
        "$(rm -rf ~)",
        "`id`",
        "'",
        '"',
        "\\",
        " ",
        "\u202e",
        "%s%n",
        "\x1b[31m",
        "é",
        "a\tb",
        "..",
        "😀",
    ],
)
def test_hostile_names_are_names(name: str) -> None:
    drive = Drive()
    drive.sh(
        f"printf x > ./{shlex.quote(name)}; cp -- ./{shlex.quote(name)} ./{shlex.quote('copy' + name)}; ls; find . | sort; rm -- ./*copy*"
    )
    assert {"/home/agent/notes.txt", "/home/agent/.env", "/home/agent/src/main.py"} <= drive.paths()
    assert not any("copy" in path for path in drive.paths())


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="ls cat rm'\"\\|&;<>$*?[]{}()~/.-=#`!ab\n\t1%", max_size=60))
def test_any_line_is_answered(command: str) -> None:
    drive = Drive()
    outcome = drive.outcome("run", {"command": command})
    said = outcome.result or outcome.error or {}
    assert isinstance(said["exit_code"], int) and 0 <= said["exit_code"] < 256


# --- the same bytes --------------------------------------------------------------------------------------------------

VARIED = [
    "date; date +%s%N; echo $EPOCHSECONDS $EPOCHREALTIME $SECONDS; printf '%(%F %T)T\\n' -1; uptime",
    "echo $RANDOM $RANDOM $SRANDOM $$ $PPID $BASHPID; (echo $RANDOM); bash -c 'echo $RANDOM'; sleep 1 & echo $!",
    "mktemp; mktemp -d; uuidgen; shuf -i 1-50; seq 50 | sort -R; seq 20 | shuf -n 3",
    "head -c 20 /dev/urandom | xxd; dd if=/dev/urandom of=r bs=9 count=2; shred notes.txt; cat /dev/random | head -c 9 | base64",
    "awk 'BEGIN{srand(); print rand(), systime(), strftime()}'; jq -n 'now, (now|todate)'; time ls",
    "declare -A m; for i in q w e r t y; do m[$i]=1; done; echo ${!m[@]}; env; set; export -p; alias; compgen -v",
    "ls -la / ~ /tmp; find /; ls -lR; du -a /; stat notes.txt; id; ps; df; hostname; uname -a; tty; ulimit -a",
    "echo '{\"b\":1,\"a\":2}' | jq -c ., awk '{a[$1]++} END{for (k in a) print k, a[k]}' notes.txt; sort -u notes.txt | uniq",
    "touch new; sed -i s/a/b/ notes.txt; tar czf t.tgz src; gzip -k notes.txt; find . -newer notes.txt; find . -mmin -5",
    "git init g; cd g; echo a > a; git add .; git commit -m x; git log; cat <(echo a) <(echo b) | tee o | md5sum; ls",
]
"""Lines that would differ between two runs on any other machine."""


def outcomes(seed: int) -> str:
    bases = Files.parse(WORLD)
    found = [Files.call("run", {"command": one}, bases, {}, NOW, seed) for one in VARIED]
    return json.dumps([[one.result, one.error, list(one.patch)] for one in found], sort_keys=True)


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    here = outcomes(5)
    root = Path(__file__).parents[3]
    env = {
        **os.environ,
        "TZ": "Asia/Tokyo",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(root),
        "USER": "x",
        "HOME": "/x",
    }
    program = "from tests.tools.files.test_containment import outcomes; print(outcomes(5))"
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True, cwd="/"
    )
    for one, other, command in zip(json.loads(here), json.loads(there.stdout), VARIED, strict=True):
        assert one == other, command
    assert here != outcomes(6)


def test_calls_on_several_threads_do_not_disturb_each_other() -> None:
    bases = Files.parse(WORLD)
    found: list[Any] = []

    def work(number: int) -> None:
        for _ in range(5):
            outcome = Files.call(
                "run", {"command": f"echo {number} > n; sort n; cat n | awk 1"}, bases, {}, NOW, number
            )
            found.append((number, outcome.result["stdout"]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted((n, f"{n}\n{n}\n") for n in range(4) for _ in range(5))


def test_nothing_is_left_in_memory_after_a_call() -> None:
    drive = Drive()
    # a call that ran out of time in an earlier test may still be ending
    before = set(bridge._kept), set(bridge._mounted), set(bridge._held)
    drive.sh("ls -R /; cat notes.txt | sort | awk 1; find / -type f -exec cat {} \\; ; cat nosuch; sudo ls")
    after = set(bridge._kept), set(bridge._mounted), set(bridge._held)
    assert all(left <= was for left, was in zip(after, before, strict=True))
