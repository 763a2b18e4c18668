"""The terminal over the files."""

from __future__ import annotations

from riskbox.tools.files.terminal.filters import FilterCommands
from riskbox.tools.files.terminal.reading import ReadingCommands
from riskbox.tools.files.terminal.system import SystemCommands
from riskbox.tools.files.terminal.writing import WritingCommands


class Terminal(ReadingCommands, FilterCommands, SystemCommands, WritingCommands):
    """Reads one command line at a time and answers as a shell would. `do_x` is the command `x`."""
