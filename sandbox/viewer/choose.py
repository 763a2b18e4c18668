"""A list to choose one thing from, over what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static


class Choose(ModalScreen[int | None]):
    """Gives the place of what was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "back")]

    def __init__(self, title: str, options: Sequence[Text], none: str = "Nothing to choose from.") -> None:
        super().__init__()
        self._title, self._options, self._none = title, options, none
        for one in options:
            one.no_wrap, one.overflow = True, "ellipsis"

    def compose(self) -> ComposeResult:
        """A title, and the list."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._title, "bold"))
            if self._options:
                yield OptionList(*self._options)
            else:
                yield Static(Text(self._none, "yellow"))
            yield Static(Text("enter chooses, escape goes back", "bright_black"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give what was chosen."""
        self.dismiss(event.option_index)
