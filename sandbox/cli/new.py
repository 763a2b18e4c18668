"""`riskbox new`: a scenario file to begin from."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from riskbox.sandbox.cli.options import Parser
from riskbox.sandbox.errors import InputError

EXAMPLES = """\
  riskbox new my_scenario.yaml                       start with a mailbox
  riskbox new loans.yaml --title "A loan for a friend" --domain business_and_finance --toolset bank,mail
  riskbox new mine.yaml --tools tools.json           use your own agent's tools
  riskbox new mine.yaml --tools tools.json --force   replace the file

tools.json contains what you pass to a model: a list of functions in the OpenAI format, or an object with such a list as
`tools`.
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("new", "Write a scenario file that passes `riskbox check`, for you to change.", EXAMPLES)
    made.add_argument("path", metavar="PATH", help="the file to write")
    made.add_argument(
        "--title",
        default="",
        help="the title, which also gives the scenario its name (default: derived from PATH)",
    )
    made.add_argument("--domain", default="", help="the domain, for example healthcare")
    which = made.add_mutually_exclusive_group()
    which.add_argument(
        "--toolset",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        help="built-in toolsets to offer; the scenario uses the first (default: mail)",
    )
    which.add_argument("--tools", metavar="FILE.json", help="a file that declares your agent's own tools")
    made.add_argument("--force", action="store_true", help="overwrite an existing file")
    return made


def main(argv: list[str]) -> int:
    """Write the file and say what to do next."""
    given = parser().parse_args(argv)
    from riskbox.sandbox.authoring.scaffold import scaffold, story_template
    from riskbox.sandbox.authoring.tool_list import read_tool_list

    path = _target(given.path, force=given.force)
    tool_list = read_tool_list(Path(given.tools)) if given.tools else None
    names = [name.strip() for one in given.toolset for name in one.split(",") if name.strip()]
    story = tool_list.story if tool_list else story_template(names or ["mail"])
    text = scaffold(path, story, title=given.title, domain=given.domain, tool_list=tool_list)
    _prove(text, given.tools or path.name)
    _write(path, text, force=given.force)
    print(_next(path))
    if tool_list:
        from riskbox.sandbox.escape import line

        for note in tool_list.notes:
            print(line(note))
        writing = sum(tool.writes for tool in tool_list.tools)
        print(
            f"\n{writing} of {len(tool_list.tools)} tools are assumed to write, because of their verbs. Correct `writes` in the file."
        )
    return 0


def _target(given: str, *, force: bool) -> Path:
    path = Path(given)
    if path.is_dir():
        raise InputError(f"{given}: is a folder; name a file in it, for example {path / 'my_scenario.yaml'}.")
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(path.name + ".yaml")
    if path.exists() and not force:
        raise InputError(f"{path}: already exists. Choose another name, or overwrite it with --force.")
    return path


def _prove(text: str, about: str) -> None:
    """Hold the file to what it promises before it is written: tools may come in shapes nobody thought of."""
    from tempfile import TemporaryDirectory

    from riskbox.sandbox.authoring.prove import prove
    from riskbox.sandbox.errors import ScenarioError
    from riskbox.sandbox.loading.loader import load

    with TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(text, "utf-8")
        try:
            problems = list(prove([load(file)])[0].problems)
        except ScenarioError as error:
            problems = list(error.problems)
    if problems:
        said = "; ".join(f"{one.path}: {one.message}" if one.path else one.message for one in problems[:3])
        raise InputError(f"{about}: the resulting scenario would not pass `riskbox check`. {said}")


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}.") from None


def _next(path: Path) -> str:
    from riskbox.sandbox.escape import line

    file = line(shlex.quote(str(path)))
    commands = (
        (f"riskbox check {file}", "prove it again after each change"),
        (f"riskbox run {file} --agent reference", "play its own scripted agents"),
        (f"riskbox run {file} --agent my_agent.py:Bot", "play it with your agent"),
        (f"riskbox play {file} --as user", "talk to its safe reference yourself"),
    )
    width = max(len(command) for command, _ in commands)
    return f"Wrote {line(str(path))}. Next:\n" + "\n".join(
        f"  {command:<{width}}  {about}" for command, about in commands
    )
