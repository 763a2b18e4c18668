"""`riskbox view`: runs and episodes in a terminal viewer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, UnknownName

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.viewer.app import Viewer

ABOUT = "Open the terminal viewer: episodes, transcripts, comparisons, and an overview of a run."
EXAMPLES = """\
  riskbox view                        open the latest run, worst episodes first
  riskbox view 20260302               open a run by its id, the start of one, or its name
  riskbox view 3f2a                   open the episode whose id starts with 3f2a
  riskbox view --store redis://host   open a run that other machines are writing
  riskbox view 3f2a --svg view.svg    write a picture of the screen instead

The bottom line shows the keys. Press `?` to list all of them."""

SIZE = "120x40"
"""Columns and lines of a picture."""


def main(argv: list[str]) -> int:
    """Open the viewer."""
    parser = options.Parser("view", ABOUT, EXAMPLES)
    parser.add_argument(
        "name",
        nargs="?",
        default="latest",
        metavar="RUN|EPISODE",
        help="a run or an episode: an id, the start of one, or a run's name (default: the latest run)",
    )
    options.add_store(parser)
    parser.add_argument(
        "--svg", metavar="FILE", default="", help="write a picture of the screen instead of opening it"
    )
    parser.add_argument(
        "--keys",
        metavar="KEY",
        nargs="+",
        default=[],
        help="with --svg: press these keys first, for example n, down or enter",
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        default=SIZE,
        help="with --svg: columns and lines of the screen (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    size = _size(args.size)
    if not args.svg and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "view: this is not a terminal. Use `riskbox show` and `riskbox list`, or --svg FILE."
        )
    with options.open_existing(args.store) as store:
        run, episode = found(store, args.name)
        from riskbox.sandbox.viewer.app import Viewer

        app = Viewer(store, run, episode)
        if args.svg:
            return _picture(app, args.svg, args.keys, size)
        app.run()
        return app.return_code or 0


def found(store: Store, name: str) -> tuple[str, str]:
    """The run that a name means, or the run and the episode.

    Raises:
        UnknownName: it means neither, or several.
    """
    from riskbox.sandbox.cli import show

    try:
        return store.run(name).run, ""
    except UnknownName as error:
        from riskbox.sandbox.cli.watch import playing_named

        if (live := playing_named(store, name)) is not None:
            return live[0], live[1].id
        if name == "latest" or not store.find(name):
            raise (
                UnknownName(f"{error} No episode has this id either.") if name != "latest" else error
            ) from None
    return show.found(store, name)


def _size(words: str) -> tuple[int, int]:
    width, _, height = words.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 20 <= int(width) <= 500 and 5 <= int(height) <= 500):
        raise InputError(f"--size {words}: write columns and lines, for example {SIZE}.")
    return int(width), int(height)


def _picture(app: Viewer, path: str, keys: list[str], size: tuple[int, int]) -> int:
    """Draw without a terminal, press keys, and write what is then shown."""
    from riskbox.sandbox.reporting.screen import write_picture

    async def press(pilot: Any) -> None:
        for key in ["", *keys]:
            if key:
                await pilot.press(key)
            await pilot.pause()  # until what the key sets going has begun
            while working := [one for one in app.workers if one.group != "follow"]:
                for worker in working:
                    await worker.wait()
                await pilot.pause()
        write_picture(app.export_screenshot(title="riskbox view"), path)
        app.exit()

    app.run(headless=True, size=size, auto_pilot=press)
    return app.return_code or 0
