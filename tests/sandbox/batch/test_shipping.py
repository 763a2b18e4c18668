"""What a folder or a wheel ships to workers: looked at first, told in a sentence, packed by the same rule."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from riskbox.sandbox.batch.shipping import look, told_size
from riskbox.sandbox.errors import InputError
from tests.conftest import Command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with code, rules of git, a virtual environment, data, and things that are no files."""
    root = tmp_path / "project"
    for name, text in {
        "agent.py": "def agent(messages, tools):\n    return 'No.'\n",
        "sub/more.py": "x = 1\n",
        "sub/.gitignore": "*.tmp\n!kept.log\n",
        "sub/a.tmp": "t",
        "sub/kept.log": "k",
        ".gitignore": "data/\n*.log\n",
        "data/big.bin": "b" * 5000,
        "run.log": "l",
        ".venv/pyvenv.cfg": "home = /usr\n",
        ".venv/lib/site.py": "s" * 9000,
        ".git/HEAD": "ref: x\n",
        "__pycache__/agent.pyc": "c",
        "node_modules/x/index.js": "j",
        "riskbox.db": "store",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    os.mkfifo(root / "pipe")
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to(".")
    return root


def test_only_what_git_would_keep_is_shipped(project: Path) -> None:
    found = look(str(project))
    assert [name for name, _ in found.files] == [".gitignore", "agent.py", "sub/.gitignore", "sub/kept.log", "sub/more.py"]  # fmt: skip
    why = {one.path: one.why for one in found.left_out}
    assert why == {
        ".git/": "never shipped", "__pycache__/": "never shipped", "node_modules/": "never shipped",
        ".venv/": "a virtual environment", "data/": "ignored by git", "run.log": "ignored by git",
        "sub/a.tmp": "ignored by git", "riskbox.db": "the store", "pipe": "no regular file",
        "dangling": "a link to nothing", "loop": "a link to a folder",
    }  # fmt: skip
    told = str(found)
    assert told.startswith("ships 5 files, ") and "; left out: .venv/ (8.8 KB, a virtual environment), data/ (4.88 KB, ignored by git)" in told  # fmt: skip
    assert told.endswith(" and 7 more")


def test_the_same_choice_as_git_makes(project: Path) -> None:
    (project / ".git" / "HEAD").unlink()
    (project / ".git").rmdir()
    subprocess.run(["git", "init", "--quiet", project], check=True)
    listed = subprocess.run(
        ["git", "-C", project, "ls-files", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = [name for name, _ in look(str(project)).files]
    beyond = (".venv/", "node_modules/", "__pycache__/", "riskbox.db", "dangling", "loop")
    assert ours == sorted(name for name in listed if not name.startswith(beyond))


def test_rules_above_the_folder_hold_within_one_repository(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    inside = tmp_path / "repository" / "inside"
    inside.mkdir()
    (tmp_path / ".gitignore").write_text("*.py\n")
    (tmp_path / "repository" / ".gitignore").write_text("/inside/data.csv\n")
    for name in ("a.py", "data.csv"):
        (inside / name).write_text("x")
    assert [name for name, _ in look(str(inside)).files] == ["a.py"]


def test_the_package_holds_those_files_and_is_the_same_each_time(project: Path, tmp_path: Path) -> None:
    found = look(str(project))
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first, second = found.pack(tmp_path / "one"), found.pack(tmp_path / "two")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == [name for name, _ in found.files]
        assert archive.read("sub/more.py") == b"x = 1\n"


def test_too_much_is_refused_with_the_largest_named(project: Path) -> None:
    (project / "weights.bin").write_bytes(b"w" * 3_000_000)
    with pytest.raises(InputError, match=r"would ship 2.86 MB, more than 2 MB; the largest are weights.bin"):
        look(str(project), 2)
    assert look(str(project), 3).size > 3_000_000


def test_a_wheel_of_python_code_is_shipped_and_another_is_not(tmp_path: Path) -> None:
    wheel = tmp_path / "agent-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("shipped_agent.py", "x = 1\n")
        archive.writestr("agent-1.0.dist-info/METADATA", "Name: agent\n")
    found = look(str(wheel))
    assert str(found) == f"ships 2 files, 18 bytes from {wheel}"
    (tmp_path / "into").mkdir()
    assert found.pack(tmp_path / "into").read_bytes() == wheel.read_bytes()
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("fast.so", "")
    with pytest.raises(InputError, match="install it on every machine"):
        look(str(wheel))
    wheel.write_text("no zip")
    with pytest.raises(InputError, match="not a wheel that can be read"):
        look(str(wheel))


@pytest.mark.parametrize(
    ("given", "said"), [("nowhere", "does not exist"), ("a.py", "neither a folder nor a wheel")]
)
def test_what_is_neither_a_folder_nor_a_wheel_is_refused_before_a_run_is_created(
    command: Command, records: Path, tmp_path: Path, given: str, said: str
) -> None:
    (tmp_path / "a.py").write_text("")
    done = command("run", records, "--agent", "idle", "--working-dir", given)
    assert done.returncode == 2 and said in done.stderr and not (tmp_path / "riskbox.db").exists()


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 bytes"), (1023, "1023 bytes"), (82 * 1024, "82 KB"), (1.2 * 2**30, "1.2 GB")]
)
def test_sizes_are_told_as_people_read_them(size: float, told: str) -> None:
    assert told_size(size) == told
