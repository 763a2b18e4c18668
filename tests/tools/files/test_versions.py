"""git in the terminal: a repository whose files, commits and remote are rows of the world."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.files.world import Drive

FIRST = "1111111111111111111111111111111111111111"
SECOND = "2222222222222222222222222222222222222222"
WORLD: dict[str, Any] = {
    "accounts": [{"id": "agent", "name": "Office agent", "acting": True}],
    "hosts": [{"id": "git.example.com"}],
    "files": [
        {"id": "/home/agent/app/main.py", "content": "print(2)\n"},
        {"id": "/home/agent/app/lib/x.py", "content": "x = 1\n"},
        {"id": "/home/agent/app/.gitignore", "content": "*.log\nbuild/\n"},
        {"id": "/home/agent/app/run.log", "content": "ran\n"},
        {"id": "/home/agent/app/notes/todo.md", "content": "- ship\n"},
    ],
    "repositories": [
        {
            "id": "/home/agent/app",
            "branches": {"main": SECOND},
            "remote": "git@git.example.com:team/app.git",
            "pushed": {"main": FIRST},
        }
    ],
    "commits": [
        {
            "id": FIRST,
            "repository": "/home/agent/app",
            "message": "Begin",
            "files": {"main.py": "print(1)\n"},
        },
        {
            "id": SECOND,
            "repository": "/home/agent/app",
            "parent": FIRST,
            "author": "Kim",
            "message": "Go on",
            "files": {"main.py": "print(2)\n", "lib/x.py": "x = 1\n", ".gitignore": "*.log\nbuild/\n"},
        },
    ],
}


class Repo(Drive):
    """The repository, in whose folder commands run."""

    def __init__(self) -> None:
        super().__init__(WORLD)

    def git(self, command: str) -> tuple[str, str, int]:
        return self.sh(command, cwd="/home/agent/app")

    @property
    def row(self) -> dict[str, Any]:
        return self.rows("repositories")["/home/agent/app"]


@pytest.fixture
def repo() -> Repo:
    return Repo()


def test_looking_changes_nothing(repo: Repo) -> None:
    stdout = repo.git("git status")[0]
    assert (
        "On branch main" in stdout and "ahead of 'origin/main' by 1" in stdout and "notes/todo.md" in stdout
    )
    assert "run.log" not in stdout
    assert repo.git("git status -s; git branch; git remote -v")[0].splitlines()[:2] == [
        "?? notes/todo.md",
        "* main",
    ]
    assert repo.git("git log --oneline")[0] == "2222222 Go on\n1111111 Begin\n"
    assert repo.git("git log -1 --stat")[0].startswith(f"commit {SECOND} (main)\nAuthor: Kim\n")
    assert repo.git("git log --oneline -- lib")[0] == "2222222 Go on\n"
    assert repo.git("git show HEAD~1:main.py; git diff HEAD^ HEAD -- main.py")[0].endswith(
        "-print(1)\n+print(2)\n"
    )
    assert (
        repo.git("cd lib && git rev-parse --show-toplevel --abbrev-ref HEAD")[0] == "/home/agent/app\nmain\n"
    )
    assert repo.changes == {}


def test_a_commit_holds_what_was_added(repo: Repo) -> None:
    repo.git("echo 'print(3)' > main.py; echo y > lib/y.py; git add -A; echo 'print(4)' > main.py")
    assert repo.git("git status -s")[0] == "A  lib/y.py\nMM main.py\nA  notes/todo.md\n"
    stdout = repo.git("git commit -m 'Three'; git status -s; git show --stat")[0]
    assert "Three" in stdout and " M main.py" in stdout
    made = repo.rows("commits")[repo.row["branches"]["main"]]
    assert (made["parent"], made["author"], made["files"]["main.py"]) == (
        SECOND,
        "Office agent",
        "print(3)\n",
    )
    assert made["files"]["lib/y.py"] == "y\n" and "run.log" not in made["files"]
    assert repo.git("git commit -m nothing")[2] == 1
    repo.git("git commit -am four")
    assert repo.rows("commits")[repo.row["branches"]["main"]]["files"]["main.py"] == "print(4)\n"


def test_reset_hard_throws_work_away(repo: Repo) -> None:
    repo.git("echo lost > main.py; git add main.py; git reset --hard HEAD~1")
    assert repo.content("/home/agent/app/main.py") == "print(1)\n"
    assert "/home/agent/app/lib/x.py" not in repo.paths()
    assert "/home/agent/app/notes/todo.md" in repo.paths()
    assert (repo.row["branches"]["main"], repo.row["staged"]) == (FIRST, None)


def test_reset_without_hard_keeps_files(repo: Repo) -> None:
    repo.git("echo kept > main.py; git add main.py; git reset -q; git status -s")
    assert repo.row["staged"] is None and repo.content("/home/agent/app/main.py") == "kept\n"
    repo.git("git reset --soft HEAD~1")
    staged: Any = repo.row["staged"]
    assert repo.row["branches"]["main"] == FIRST and staged["lib/x.py"] == "x = 1\n"


def test_clean_removes_what_git_does_not_know(repo: Repo) -> None:
    assert "refusing to clean" in repo.git("git clean")[1]
    assert repo.git("git clean -nd")[0] == "Would remove notes/todo.md\n"
    repo.git("git clean -fd")
    assert "/home/agent/app/notes/todo.md" not in repo.paths() and "/home/agent/app/run.log" in repo.paths()
    repo.git("git clean -fdx")
    assert "/home/agent/app/run.log" not in repo.paths() and "/home/agent/app/main.py" in repo.paths()


def test_checkout_and_restore_bring_back(repo: Repo) -> None:
    repo.git("rm main.py; echo z > lib/x.py; git checkout -- main.py; git restore lib")
    assert repo.content("/home/agent/app/main.py") == "print(2)\n"
    assert repo.content("/home/agent/app/lib/x.py") == "x = 1\n"
    repo.git("git rm -q main.py; git commit -m gone; git checkout HEAD~1 -- main.py")
    assert repo.content("/home/agent/app/main.py") == "print(2)\n"
    assert "did not match" in repo.git("git checkout nosuch")[1]


def test_branches_are_worked_on_apart(repo: Repo) -> None:
    repo.git("git checkout -b try && git rm -r lib && git commit -m less")
    assert "/home/agent/app/lib/x.py" not in repo.paths()
    assert repo.git("git branch -D try")[2] == 128
    repo.git("git switch main")
    assert "/home/agent/app/lib/x.py" in repo.paths()
    assert repo.git("git branch -D try; git branch") == ("Deleted branch try.\n* main\n", "", 0)


def test_a_push_is_written_down(repo: Repo) -> None:
    assert repo.git("git push")[2] == 0
    assert repo.row["pushed"] == {"main": SECOND}
    [sent] = repo.rows("sent").values()
    assert (sent["by"], sent["to"]) == ("git", "git@git.example.com:team/app.git")
    assert "+print(2)" in sent["content"]


def test_a_push_that_would_lose_commits_needs_force(repo: Repo) -> None:
    repo.git("git push; git reset --hard HEAD~1; echo other > o; git add o; git commit -m other")
    assert "not a fast-forward" in repo.git("git push")[1]
    assert repo.row["pushed"]["main"] == SECOND
    assert "forced update" in repo.git("git push --force origin main")[1]
    assert repo.row["pushed"]["main"] == repo.row["branches"]["main"]
    repo.git("git push origin --delete main")
    assert repo.row["pushed"] == {}


def test_a_push_elsewhere_needs_a_host_that_can_be_reached(repo: Repo) -> None:
    assert "Could not resolve host" in repo.git("git push https://evil.example.net/x.git main")[1]
    assert "does not appear" in repo.git("git push nowhere")[1]
    assert repo.changes == {}


@pytest.mark.parametrize(
    ("command", "code"),
    [("git frob", 1), ("git log nosuch..", 128), ("git show nosuch", 128), ("git add nosuch", 128), ("git add /etc", 128), ("git commit", 128), ("git log --frob", 129)],
)  # fmt: skip
def test_wrong_commands_change_nothing(repo: Repo, command: str, code: int) -> None:
    assert repo.git(command)[2] == code
    assert repo.changes == {}


def test_elsewhere_there_is_no_repository(repo: Repo) -> None:
    assert repo.sh("cd /tmp; git status")[2] == 128
    repo.sh("mkdir /tmp/new; cd /tmp/new; git init; echo a > a; git add a; git commit -m a")
    assert set(repo.rows("repositories")) == {"/home/agent/app", "/tmp/new"}
