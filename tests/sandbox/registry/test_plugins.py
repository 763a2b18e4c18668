"""Names become classes in one place, and every miss says what to write instead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import PluginError, UnknownName
from riskbox.sandbox.registry.agents import agent, check_agent_name
from riskbox.sandbox.registry.casts import code, is_own
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.registry.models import check_model_name
from riskbox.sandbox.registry.plugins import code_hash, installed, load_object
from riskbox.sandbox.registry.toolsets import TOOLSETS, Toolbox
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.words.case import Case
from tests.sandbox.packages import install

CRM = '''\
from riskbox.sandbox.contracts.table import Row, Table
from riskbox.sandbox.contracts.toolset import Toolset, tool

class Deal(Row):
    """A deal."""

class Crm(Toolset):
    """Deals."""
    deals: Table[Deal]

    @tool
    def count(self) -> int:
        """How many."""
        return len(self.deals)

class Other: ...
'''


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    file = tmp_path / "crm.py"
    file.write_text(CRM)
    return file


# --- toolsets ---------------------------------------------------------------------------------------------------


def test_every_built_in_toolset_loads_under_its_name() -> None:
    for name in TOOLSETS:
        assert Toolbox().find(name).toolset_name() == name


def test_a_toolset_that_is_not_there_is_told_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"unknown toolset 'mial'\. Did you mean 'mail'\? Known: "):
        Toolbox().find("mial")


def test_a_toolset_of_ones_own_is_found_and_told_among_the_known(crm: Path) -> None:
    toolbox = Toolbox((f"{crm}:Crm",))
    assert toolbox.find("crm").toolset_name() == "crm" and "crm" in toolbox.names()
    with pytest.raises(UnknownName, match="Did you mean 'crm'"):
        toolbox.find("crn")
    with pytest.raises(PluginError, match="Other is the class Other, not a toolset"):
        Toolbox((f"{crm}:Other",))


@pytest.fixture
def packages(tmp_path: Path, crm: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed distribution whose entry points name the toolset, and one that is not there."""
    install(tmp_path, {"riskbox.toolsets": {"crm": "crm:Crm", "gone": "no_such_module_here:Gone"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    installed.cache_clear()
    yield
    installed.cache_clear()
    sys.modules.pop("crm", None)


@pytest.mark.usefixtures("packages")
def test_installed_toolsets_are_found_by_entry_point_and_a_broken_one_says_so() -> None:
    assert Toolbox().find("crm").toolset_name() == "crm"
    assert {"crm", "gone", "mail"} <= set(Toolbox().names())
    with pytest.raises(PluginError, match="the installed toolset 'gone' cannot be loaded: No module named"):
        Toolbox().find("gone")
    with pytest.raises(UnknownName, match="Did you mean 'crm'"):
        Toolbox().find("crmm")


def test_without_entry_points_the_built_in_ones_are_all_there_is() -> None:
    assert set(Toolbox().names()) >= set(TOOLSETS)


# --- file.py:Name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("crm.py", "does not have the form module:Name or file.py:Name"),
        ("crm.py:", "does not have the form"),
        (":Crm", "does not have the form"),
        ("{folder}/none.py:Crm", "there is no file"),
        ("{folder}/crm.py:Crmm", "Did you mean 'Crm'"),
        ("{folder}/crm.py:Crm.nothing", "has no 'Crm.nothing'"),
        ("no_such_module_here:Crm", "cannot be imported: ModuleNotFoundError"),
        ("{folder}/raises.py:Crm", "cannot be imported: ZeroDivisionError: division by zero"),
        ("{folder}/exits.py:Crm", "cannot be imported: SystemExit: 3"),
        ("{folder}/broken.py:Crm", "cannot be imported: SyntaxError"),
    ],
)
def test_what_does_not_load_says_why(spec: str, said: str, crm: Path) -> None:
    (crm.parent / "raises.py").write_text("1 / 0")
    (crm.parent / "exits.py").write_text("raise SystemExit(3)")
    (crm.parent / "broken.py").write_text("def")
    with pytest.raises(PluginError, match=said.replace("(", r"\(")):
        load_object(spec.format(folder=crm.parent))


def test_a_module_that_raised_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "later.py"
    file.write_text("1 / 0")
    with pytest.raises(PluginError):
        load_object(f"{file}:x")
    file.write_text("x = 1  # longer: Python knows a changed file by its second and its size")
    assert load_object(f"{file}:x") == 1


def test_a_file_is_loaded_once_and_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.append(tmp_path / name / "same.py")
        files[-1].write_text(f"class Bot: name = {name!r}")
    first, second = (load_object(f"{file}:Bot") for file in files)
    assert (first.name, second.name) == ("a", "b") and load_object(f"{files[0]}:Bot") is first


def test_code_is_hashed_by_its_file(crm: Path) -> None:
    before = code_hash(load_object(f"{crm}:Crm"))
    assert before == code_hash(load_object(f"{crm}:Crm"))
    crm.write_text(CRM + "# changed\n")
    assert code_hash(load_object(f"{crm}:Crm")) != before
    # a notebook's function lies in no file; the compiled code tells it apart
    one, same, other = (eval(f"lambda: {value}") for value in (1, 1, 2))
    assert code_hash(one) == code_hash(same) != code_hash(other)


# --- participants and evaluators --------------------------------------------------------------------------------


def test_every_built_in_agent_is_made(by_id: dict[str, Case]) -> None:
    for name in ("idle", "human", "obeys", "obeys:2", "reference:2", "silent:2", "cut:2"):
        assert not is_own("agent", name)
        check_agent_name(name)
        assert isinstance(agent(name, by_id["owner"]), Participant)
    for name in ("scripted", "human"):
        assert isinstance(user(name, by_id["owner"]), Participant)


def test_names_of_agents_users_and_evaluators_that_are_not_there(by_id: dict[str, Case]) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'idle'"):
        check_agent_name("idel")
    with pytest.raises(UnknownName, match="Did you mean 'scripted'"):
        user("scriptd", by_id["owner"])
    with pytest.raises(UnknownName, match="Did you mean 'checks'"):
        evaluator("check")
    with pytest.raises(UnknownName, match="It has reference:2"):
        agent("reference:7", by_id["owner"])
    with pytest.raises(UnknownName, match="cannot be derived"):
        agent("silent:3", by_id["owner+injection=mail"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("http://alice:s3cret@127.0.0.1:1/v1#m", "cannot contain a password or key"),
        ("http://s3cret@127.0.0.1:1/v1#m", "cannot contain a password or key"),
        ("https://127.0.0.1:1/v1?key=s3cret#m", "cannot contain a password or key"),
        ("http://alice:s3cret#1@127.0.0.1:1/v1#m", "is not a URL"),
        ("http://127.0.0.1:1/v1#", "is incomplete"),
        ("http:///v1#m", "is incomplete"),
    ],
)
def test_a_server_is_named_without_a_secret(
    name: str, said: str, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_model_name("http://127.0.0.1:1/v1#m")
    store = f"sqlite:///{tmp_path}/runs.db"
    told = ["run", str(records), "--local", "--store", store]
    for words in (
        ["--agent", name],
        ["--agent", f"text:{name}"],
        ["--agent", "idle", "--user", name],
        ["--agent", "idle", "--judge", name],
    ):
        assert main([*told, *words]) == 2
        out, err = capsys.readouterr()
        assert said in err and err.count("\n") == 1
        assert "s3cret" not in out + err
    assert not (tmp_path / "runs.db").exists()


def test_an_agent_of_ones_own_is_checked_before_anything_is_played(tmp_path: Path) -> None:
    file = tmp_path / "bots.py"
    file.write_text("def good(seen): return 'x'\ndef bad(a, b, c): return 'x'\n")
    check_agent_name(f"{file}:good")
    with pytest.raises(PluginError, match="an agent takes"):
        check_agent_name(f"{file}:bad")


def test_a_module_is_found_in_the_working_directory_as_python_m_does(crm: Path) -> None:
    code = "from riskbox.sandbox.registry.plugins import load_object; print(load_object('crm:Crm').__name__)"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=crm.parent, capture_output=True, text=True)
    assert done.stdout == "Crm\n", done.stderr


def test_the_command_says_it_in_one_line(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(records), "--tools", "nowhere.py:Crm"]) == 2
    assert capsys.readouterr().err == "riskbox: there is no file nowhere.py\n"


def test_an_agent_that_is_an_instance_is_known_by_the_file_that_names_it(tmp_path: Path) -> None:
    kind = "class Kind:\n    def __call__(self, messages, tools):\n        return 'Hi.'\n"
    (tmp_path / "kinds.py").write_text(kind)
    for name, said in (("one.py", "a"), ("two.py", "b")):
        (tmp_path / name).write_text(
            f"from riskbox.sandbox.registry.plugins import load_object\nKind = load_object({str(tmp_path / 'kinds.py')!r} + ':Kind')\n"
            f"agent = Kind()\nagent.said = {said!r}\n"
        )
    one, two = (code("agent", f"{tmp_path / name}:agent") for name in ("one.py", "two.py"))
    assert one != two and one == code("agent", f"{tmp_path / 'one.py'}:agent")
