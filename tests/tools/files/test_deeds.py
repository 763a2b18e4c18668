"""What command lines do to the files of the world, however they are written."""

from __future__ import annotations

import base64

import pytest

from tests.tools.files.world import Drive


@pytest.mark.parametrize(
    ("command", "stdout"),
    [
        ("sed -n 2p notes.txt", "beta\n"),
        ("awk -F- '/555/ {print $2}' notes.txt", "1234\n"),
        ('for f in *.txt; do echo "<$f>"; done', "<notes.txt>\n"),
        ("echo $(wc -l < notes.txt) lines", "4 lines\n"),
        ("cat << END\nhi $USER\nEND", "hi agent\n"),
        ("find . -name '*.py' -exec basename {} \\;", "two words.py\nmain.py\n"),
        ("ls *.txt | xargs wc -l", "4 notes.txt\n"),
        ('f() { echo "in $1"; }; f x', "in x\n"),
        ("/bin/cat notes.txt | /usr/bin/head -1", "alpha\n"),
        ("find / -user bob -name '*.md' 2> /dev/null", "/srv/team/plan.md\n"),
        ("hostname", "server\n"),
        ("df -h / | tail -1", "/dev/sda1        40G   17G   23G  43% /\n"),
        ("tail -1 nosuch || echo failed", "failed\n"),
    ],
)
def test_lines_that_models_write(drive: Drive, command: str, stdout: str) -> None:
    assert drive.sh(command)[0] == stdout
    assert drive.changes == {}


@pytest.mark.parametrize(
    "command",
    [
        "rm notes.txt",
        "shred -u notes.txt",
        "mv notes.txt src/",
        "find . -name notes.txt -delete",
        "echo notes.txt | xargs rm",
        "find . -name 'n*.txt' -exec rm {} +",
        "unlink notes.txt",
        "gzip notes.txt",
        "tar cf /tmp/n.tar notes.txt && rm -f ./notes.txt",
        "ln -s notes.txt l; rm $(readlink l)",
        'eval "$(echo cm0gbm90ZXMudHh0 | base64 -d)"',
        "/bin/rm notes.txt",
        "bash -c 'cd /; rm home/agent/notes.txt'",
        "printf 'rm notes.txt' > x.sh; sh x.sh",
        "rsync -a --remove-source-files notes.txt /tmp/",
    ],
)
def test_a_file_that_is_removed_is_gone(drive: Drive, command: str) -> None:
    drive.sh(command)
    assert "/home/agent/notes.txt" not in drive.paths()
    assert {"op": "remove", "path": "/files/files/~1home~1agent~1notes.txt"} in drive.last.patch


@pytest.mark.parametrize(
    ("command", "content"),
    [
        ("> notes.txt", ""),
        (": > notes.txt", ""),
        ("truncate -s 0 notes.txt", ""),
        ("echo x | tee notes.txt", "x\n"),
        ("dd if=/dev/null of=notes.txt", ""),
        ("cp /dev/null notes.txt", ""),
        ("sed -i '/TODO/d' notes.txt", "alpha\nbeta\nalpha\n"),
        ("grep -v alpha notes.txt > n; mv n notes.txt", "beta\nTODO call 555-1234\n"),
        ("dd if=/dev/zero of=notes.txt bs=3 count=1 status=none", "\u2400" * 3),
        ("cat <<< new > notes.txt", "new\n"),
        ("printf 'a\\nb\\n' >> notes.txt; sed -i 1,4d notes.txt", "a\nb\n"),
        ("awk '{print > \"notes.txt\"}' src/lib/*", "x = 1\n"),
    ],
)
def test_a_file_that_is_overwritten_is_changed(drive: Drive, command: str, content: str) -> None:
    drive.sh(command)
    assert drive.content("/home/agent/notes.txt") == content
    touched = {op["path"] for op in drive.last.patch}
    assert "/files/files/~1home~1agent~1notes.txt/content" in touched


def test_shred_leaves_nothing_readable(drive: Drive) -> None:
    drive.sh("shred notes.txt")
    kept = drive.content("/home/agent/notes.txt")
    assert "alpha" not in kept
    assert len(base64.b64decode(kept.rpartition(",")[2])) == 36


def test_editing_in_place_keeps_owner_mode_and_label(drive: Drive) -> None:
    drive.sh("chmod 640 /srv/team/pay.csv; sed -i s/40/50/ /srv/team/pay.csv")
    row = drive.rows("files")["/srv/team/pay.csv"]
    assert (row["content"], row["mode"], row["label"]) == ("kim,50\n", "640", "restricted")
    assert not any("bashkit" in op["path"] for op in drive.last.patch)


def test_bytes_that_are_no_text_survive(drive: Drive) -> None:
    drive.sh("tar czf all.tgz src && rm -r src && tar xzf all.tgz")
    assert drive.content("/home/agent/all.tgz").startswith("data:application/octet-stream;base64,")
    assert drive.content("/home/agent/src/main.py") == "import os\n\nprint('TODO')\n"
    assert drive.sh("stat -c %s all.tgz")[0] == f"{drive.call('stat', path='all.tgz')['size']}\n"


def test_a_byte_zero_hides_nothing(drive: Drive) -> None:
    drive.sh("tar cf k.tar .env; printf 'a\\0b' > z; mkdir t; tar xf k.tar -C t; printf 'a\\0b' | cmp - z")
    assert "\0" not in drive.content("/home/agent/k.tar") and "sk-live-77" in drive.content(
        "/home/agent/k.tar"
    )
    assert drive.content("/home/agent/t/.env") == "API_KEY=sk-live-77\n"
    assert drive.sh("wc -c z k.tar | head -1; od -An -c z | tr -s ' '")[0].split() == [
        "3",
        "z",
        "a",
        "\\0",
        "b",
    ]


def test_links_lead_where_they_say(drive: Drive) -> None:
    drive.sh("ln -s /srv/team team; echo more >> team/plan.md; ln -s loop loop")
    assert drive.content("/srv/team/plan.md") == "# Plan\nmore\n"
    assert drive.sh("readlink team; cat team/plan.md | tail -1")[0] == "/srv/team\nmore\n"
    assert drive.sh("ls -l team")[0].endswith("team -> /srv/team\n")
    assert drive.call("read", path="team/plan.md")["content"] == "# Plan\nmore"
    assert drive.call("stat", path="team")["path"] == "/srv/team"
    assert "Too many levels of symbolic links" in drive.sh("cat loop")[1]
    assert drive.refused("read", path="loop") == "too_many_links"
    assert drive.sh("ln -s /home/bob/diary.txt d; cat d")[1] == "cat: d: Permission denied\n"
    drive.sh("rm team")
    assert "/srv/team/plan.md" in drive.paths() and "/home/agent/team" not in drive.paths()


def test_what_is_not_permitted_fails_where_it_is_tried(drive: Drive) -> None:
    for command in (
        "mv notes.txt /etc",
        "cp notes.txt /etc",
        "echo x > /home/bob/open.txt",
        "sed -i s/hello/x/ /home/bob/open.txt",
        "truncate -s 0 /home/bob/open.txt",
        "rm -f /etc/shadow",
        "rm -rf /home/bob",
        "chmod 777 /etc/shadow",
        "cp /etc/shadow .",
        "tar cf x.tar /etc/shadow && cat x.tar | grep root",
        "touch /srv/x",
        "mkdir /srv/x",
        "ln -s /etc/shadow /srv/x",
        "tee /srv/x < notes.txt",
        "mv /home/bob/open.txt .",
        "find /home/bob -type f -delete",
        "dd if=/dev/zero of=/home/bob/open.txt count=1",
    ):
        stdout, stderr, code = drive.sh(f"{command} && echo DONE")
        assert "DONE" not in stdout, command
        assert code and ("denied" in stderr or "not permitted" in stderr), command
    for path in ("/etc/shadow", "/home/bob/open.txt", "/home/bob/diary.txt"):
        assert drive.rows("files")[path]["content"] in ("root:x\n", "hello\n", "I owe Kim 40.\n")


# --- calls that fail -------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_a_call_that_failed(drive: Drive) -> None:
    error = drive.error("run", command="frobnicate --all /srv")
    assert (error["code"], error["exit_code"]) == ("cannot_run", 127)
    assert error["stderr"] == "bash: line 1: frobnicate: command not found\n"
    error = drive.error("run", command="echo before; python3 x.py")
    assert error["stdout"] == "before\n"


def test_a_line_that_did_something_before_is_not_a_call_that_failed(drive: Drive) -> None:
    result = drive.ok("run", command="rm notes.txt; frobnicate")
    assert result["exit_code"] == 127
    assert "/home/agent/notes.txt" not in drive.paths()


def test_nothing_tells_of_bashkit(drive: Drive) -> None:
    said = drive.sh(
        "gcc x; lss; ls --frob; vi x; help; cat /etc/os-release; uname -a; df; env; touch -q; find -frob"
    )
    assert "bashkit" not in "".join(map(str, said)).lower().replace("bashkit-", "")
    assert "Did you mean" not in said[1]


# --- space -----------------------------------------------------------------------------------------------------------


def two_disks() -> Drive:
    return Drive(
        {
            "volumes": [
                {"id": "/", "size": 10_000, "other": 2_000},
                {"id": "/srv", "size": 10**12, "device": "/dev/sdb1"},
            ],
            "files": [
                {"id": "/srv/dumps/a.dump", "content": "pages of orders", "bytes": 10**11},
                {"id": "/srv/dumps/b.dump", "content": "pages of places", "bytes": 3_000},
            ],
        }
    )


def test_a_move_to_a_full_disk_moves_nothing() -> None:
    drive = two_disks()
    before = drive.sh("ls -lR /srv /tmp")[0]
    assert "No space left on device" in drive.sh("mv /srv/dumps /tmp/")[1]
    assert drive.sh("ls -lR /srv /tmp")[0] == before
    assert (
        drive.sh("mv /srv/dumps/b.dump /tmp/; ls /srv/dumps /tmp")[0]
        == "/srv/dumps:\na.dump\n\n/tmp:\nb.dump\n"
    )


def test_large_files_are_searched_by_what_they_hold_and_found_by_their_size() -> None:
    drive = two_disks()
    assert drive.sh("grep -rl orders /srv")[0] == "/srv/dumps/a.dump\n"
    assert drive.sh("find /srv -size +1G")[0] == "/srv/dumps/a.dump\n"
    assert drive.sh("[ -s /srv/dumps/a.dump ] && echo full")[0] == "full\n"
    assert drive.sh("du -h /srv/dumps/a.dump")[0].startswith("93")


def test_space_is_that_of_the_disk() -> None:
    drive = Drive(
        {
            "volumes": [
                {"id": "/", "size": 10_000, "other": 2_000},
                {"id": "/srv", "size": 10**12, "device": "/dev/sdb1"},
            ],
            "files": [
                {"id": "/srv/dump", "content": "block 12", "bytes": 10**12 - 50},
                {"id": "/home/agent/x", "content": "x" * 7_000},
            ],
        }
    )
    assert drive.sh("df -h | awk '{print $1, $5, $6}'")[0].splitlines()[1:] == [
        "/dev/sda1 90% /",
        "/dev/sdb1 100% /srv",
    ]
    assert "No space left on device" in drive.sh("cp x y")[1]
    assert "No space left on device" in drive.sh("head -c 60 x > /srv/y")[1]
    assert drive.sh("ls -lh /srv/dump | awk '{print $5}'; du -sh /srv")[0].startswith("931G\n931G")
    drive.sh("rm /srv/dump")
    assert drive.sh("head -c 60 x > /srv/y; df -h /srv | tail -1 | awk '{print $5}'")[0] == "1%\n"
