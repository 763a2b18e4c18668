"""The viewer: a Textual application over any store."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.viewer.browse import BrowseScreen
from riskbox.sandbox.viewer.keys import Help
from riskbox.sandbox.viewer.reading import EpisodeScreen
from riskbox.sandbox.viewer.source import ViewerSource
from riskbox.sandbox.viewer.tints import DARK, LIGHT


class Viewer(App[None]):
    """Runs and episodes of a store.

    Args:
        store: Where they are kept.
        run: The run to begin with, by id.
        episode: The episode to open; empty for the list.
    """

    CSS_PATH = "app.tcss"
    TITLE = "riskbox view"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help"),
        Binding("ctrl+q", "quit", "quit", show=False),
    ]

    def __init__(self, store: Store, run: str, episode: str = "") -> None:
        super().__init__()
        self._episode = episode
        self.ansi_theme_dark, self.ansi_theme_light = DARK, LIGHT
        self.source = ViewerSource(store, store.run(run))

    def on_mount(self) -> None:
        """Show the run, and the episode if one is named."""
        browse = BrowseScreen(self.source)
        self.push_screen(browse)
        if self._episode:
            self.push_screen(EpisodeScreen(self.source, self.source.run, self._episode))

    def action_help(self) -> None:
        """Show every key."""
        if not isinstance(self.screen, Help):
            self.push_screen(Help())
