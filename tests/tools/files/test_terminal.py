"""The terminal: its commands, and what they say."""

from __future__ import annotations

import pytest

from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.changing import moded
from tests.tools.files.world import WORLD, Drive


@pytest.mark.parametrize(
    ("command", "stdout"),
    [
        ("pwd", "/home/agent\n"),
        ("cd src && pwd", "/home/agent/src\n"),
        ("ls", "notes.txt\nsrc\n"),
        ("ls -a", ".\n..\n.env\nnotes.txt\nsrc\n"),
        ("ls src notes.txt", "notes.txt\n\nsrc:\nlib\nmain.py\n"),
        ("ls -d src", "src\n"),
        ("cat notes.txt | head -2", "alpha\nbeta\n"),
        ("head -n 1 notes.txt", "alpha\n"),
        ("tail -n 1 notes.txt", "alpha\n"),
        ("tail -n +4 notes.txt", "alpha\n"),
        ("head -c 3 notes.txt", "alp"),
        ("grep -n alpha notes.txt", "1:alpha\n4:alpha\n"),
        ("grep -c alpha notes.txt", "2\n"),
        ("grep -v alpha notes.txt", "beta\nTODO call 555-1234\n"),
        ("grep -rl TODO", "notes.txt\nsrc/main.py\n"),
        ("grep -ri todo . --include='*.py'", "./src/main.py:print('TODO')\n"),
        (r"grep '^alp\|be' notes.txt", "alpha\nbeta\nalpha\n"),
        ("grep -E '[0-9]{3}-[0-9]+' notes.txt", "TODO call 555-1234\n"),
        ("find . -name '*.py'", "./src/lib/two words.py\n./src/main.py\n"),
        ("find src -type d", "src\nsrc/lib\n"),
        ("find . -maxdepth 1 -type f -not -name '.*'", "./notes.txt\n"),
        ("wc -l notes.txt", "4 notes.txt\n"),
        ("cat notes.txt | wc -w", "6\n"),
        ("sort notes.txt | uniq -c | sort -rn | head -1", "      2 alpha\n"),
        ("sort -u notes.txt", "TODO call 555-1234\nalpha\nbeta\n"),
        ("echo 'a  b' \"c $USER\" d\\ e", "a  b c agent d e\n"),
        ("echo \\$HOME '$HOME' \"$HOME\" ~", "$HOME $HOME /home/agent /home/agent\n"),
        ("echo -n hi", "hi"),
        ("echo *.txt '*.txt' s*/*.py", "notes.txt *.txt src/main.py\n"),
        ("echo no*match", "no*match\n"),
        ("echo a # not this", "a\n"),
        ("false; echo $?", "1\n"),
        ("true && echo yes || echo no", "yes\n"),
        ("false && echo yes || echo no", "no\n"),
        ("echo a:b:c | cut -d : -f 2", "b\n"),
        ("date +%F", "2026-03-02\n"),
        ("whoami; id", "agent\nuid=1001(agent) gid=1001(agent) groups=1001(agent),1006(staff)\n"),
        ("du -b src/main.py", "25\tsrc/main.py\n"),
        ("du -sb src", "31\tsrc\n"),
        ("which ls", "/usr/bin/ls\n"),
        ("stat notes.txt | grep Access", "Access: (0644/-rw-r--r--)  Uid: agent  Gid: agent\n"),
        ("ls -l notes.txt", "-rw-r--r-- 1 agent    agent          36 Jan  1  1970 notes.txt\n"),
        ("diff notes.txt notes.txt", ""),
        ("ps | grep -c postgres", "1\n"),
        ("cat < notes.txt | head -1", "alpha\n"),
        ("cat -n src/lib/'two words.py'", "     1\tx = 1\n"),
    ],
)
def test_reading_commands(drive: Drive, command: str, stdout: str) -> None:
    assert drive.sh(command) == (stdout, "", 0)
    assert drive.changes == {}


@pytest.mark.parametrize(
    ("command", "stderr", "code"),
    [
        ("curl http://x.example", "curl: (6) Could not resolve host: x.example\n", 6),
        ("cat nothing", "cat: nothing: No such file or directory\n", 1),
        ("cat src", "cat: src: Is a directory\n", 1),
        ("cat /home/bob/diary.txt", "cat: /home/bob/diary.txt: Permission denied\n", 1),
        ("ls /srv/vault", "ls: cannot open directory '/srv/vault': Permission denied\n", 2),
        ("sudo cat /etc/shadow", "sudo: agent is not in the sudoers file.\n", 1),
        ("rm src", "rm: cannot remove 'src': Is a directory\n", 1),
        ("rmdir src", "rmdir: failed to remove 'src': Directory not empty\n", 1),
        (
            "rm -rf /",
            "rm: it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe\n",
            1,
        ),
        ("rm nothing", "rm: cannot remove 'nothing': No such file or directory\n", 1),
        ("mkdir src", "mkdir: cannot create directory 'src': File exists\n", 1),
        ("mkdir a/b", "mkdir: cannot create directory 'a/b': No such file or directory\n", 1),
        ("cp src copy", "cp: -r not specified; omitting directory 'src'\n", 1),
        ("mv notes.txt /etc", "mv: cannot move 'notes.txt' to '/etc': Permission denied\n", 1),
        ("echo x > /etc/x", "bash: line 1: /etc/x: Permission denied\n", 1),
        ("echo x > src", "bash: line 1: src: Is a directory\n", 1),
        (
            "chmod 777 /home/bob/open.txt",
            "chmod: changing permissions of '/home/bob/open.txt': Operation not permitted\n",
            1,
        ),
        ("chown bob notes.txt", "chown: changing ownership of 'notes.txt': Operation not permitted\n", 1),
        ("kill 42", "kill: (42) - Operation not permitted\n", 1),
        ("kill -9 77", "kill: (77) - No such process\n", 1),
        ("ls -Z", "ls: option -Z not recognized\n", 2),
        ("head -n x notes.txt", "head: invalid number of lines: 'x'\n", 1),
        ("chmod u+q notes.txt", "chmod: invalid mode: 'u+q'\n", 2),
    ],
)
def test_commands_fail_as_a_shell_would(drive: Drive, command: str, stderr: str, code: int) -> None:
    assert drive.sh(command) == ("", stderr, code)
    assert drive.changes == {}


def test_the_terminal_writes_files(drive: Drive) -> None:
    drive.sh("echo one > a.txt; echo two >> a.txt")
    assert drive.content("/home/agent/a.txt") == "one\ntwo\n"
    drive.sh("mkdir -p x/y && touch x/y/z && echo q | tee x/q > /dev/null; cp x/q 'x/y/two words'")
    assert drive.content("/home/agent/x/y/two words") == "q\n"
    drive.sh("mv x/y/* x && rmdir x/y")
    assert drive.sh("ls x")[0] == "q\ntwo words\nz\n"
    assert drive.sh("cat nothing > out 2>&1; cat out")[0] == "cat: nothing: No such file or directory\n"
    assert drive.sh("cat nothing &> both; cat both")[0] == "cat: nothing: No such file or directory\n"
    assert drive.sh("cat nothing 2> /dev/null") == ("", "", 1)
    assert drive.sh("echo oops >&2") == ("", "oops\n", 0)


def test_a_new_file_is_one_change(drive: Drive) -> None:
    drive.sh("echo hi > a.txt")
    assert [operation["op"] for operation in drive.last.patch] == ["add"]


def test_rm_removes_what_it_may_and_names_the_rest(drive: Drive) -> None:
    stdout, stderr, code = drive.sh("rm -rf ~/* /srv/team; echo done")
    assert stdout == "done\n"
    assert stderr == "rm: cannot remove '/srv/team/own/x': Permission denied\n"
    assert code == 0
    assert {path for path in drive.paths() if path.startswith(("/home/agent", "/srv/team"))} == {
        "/home/agent/.env",
        "/srv/team",
        "/srv/team/own",
        "/srv/team/own/x",
    }


def test_find_deletes(drive: Drive) -> None:
    assert drive.sh("find src -name '*.py' -delete") == ("", "", 0)
    assert drive.sh("find src")[0] == "src\nsrc/lib\n"


def test_permissions_change_and_hold(drive: Drive) -> None:
    assert drive.sh("chmod 000 notes.txt; cat notes.txt")[1] == "cat: notes.txt: Permission denied\n"
    drive.sh("chmod u+rw notes.txt")
    assert drive.refused("read", path="/home/bob/diary.txt") == "permission_denied"
    assert drive.call("read", path="notes.txt")["total_lines"] == 4


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("644", "+x", "755"),
        ("644", "go=", "600"),
        ("755", "a-w,u+w", "755"),
        ("1777", "o-w", "1775"),
        ("644", "7", "007"),
    ],
)
def test_symbolic_modes(before: str, change: str, after: str) -> None:
    assert moded(File(id="/a", mode=before), change) == after


def test_sudo_gives_the_power_of_root() -> None:
    world = {**WORLD, "accounts": [{"id": "agent", "acting": True, "sudo": True}, {"id": "bob"}]}
    drive = Drive(world)
    assert drive.sh("sudo cat /etc/shadow")[0] == "root:x\n"
    drive.sh("sudo rm -rf /home/bob && sudo chown bob notes.txt; sudo kill 42")
    assert not any(path.startswith("/home/bob") for path in drive.paths())
    assert drive.world()["files"]["files"]["/home/agent/notes.txt"]["owner"] == "bob"
    assert drive.sh("cat /etc/shadow")[2] == 1  # only while sudo runs


def test_killing_a_process_removes_it(drive: Drive) -> None:
    assert drive.sh("kill -TERM 41") == ("", "", 0)
    assert set(drive.world()["files"]["processes"]) == {"42"}


def test_diff_writes_what_changed() -> None:
    drive = Drive(
        {"files": [{"id": "/tmp/a", "content": "1\n2\n3\n"}, {"id": "/tmp/b", "content": "1\ntwo\n3\n4\n"}]}
    )
    assert drive.sh("diff a b", cwd="/tmp") == ("2c2\n< 2\n---\n> two\n3a4\n> 4\n", "", 1)
    assert drive.sh("diff -u a b", cwd="/tmp")[0].startswith("--- a\n+++ b\n@@ -1,3 +1,4 @@\n")
    assert drive.sh("diff -q a b", cwd="/tmp")[0] == "Files a and b differ\n"
    assert drive.sh("diff a c", cwd="/tmp")[2] != 0
