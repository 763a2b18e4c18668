"""The world's state as a tree at one event, with what the step changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.changes import RowChange, RowKey, WorldReplay
from riskbox.sandbox.reporting.flow import flow
from riskbox.sandbox.reporting.screen import QUIET
from riskbox.sandbox.reporting.transcript import clock
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Changed, Event

SHOWN = 200
"""Rows of a table, and items of a value, that are listed."""

WorldPath: TypeAlias = tuple[str, ...]
"""Toolset, table, row, and keys within a value."""


@dataclass(frozen=True)
class WorldState:
    """The world after some of an episode's events."""

    index: int
    """The last of these events."""
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Every toolset and table, as it was at the start."""
    touched: Mapping[RowKey, Any]
    """The rows that were changed so far; None where one is gone."""
    changes: Mapping[RowKey, RowChange]
    """What the step changed."""
    problems: tuple[str, ...] = ()
    """Why parts of the step cannot be shown."""

    @classmethod
    def of(cls, case: Case, events: Iterable[Event], index: int) -> WorldState:
        """The world after an event, and after the whole of the call it belongs to."""
        events = list(events)
        call = next((getattr(one, "call", "") for one in events if one.index == index), "")
        step = [one for one in events if isinstance(one, Changed) and call and one.call == call]
        last = max([index, *(one.index for one in step)])
        replay, changes, problems = WorldReplay(case), {}, []
        for event in events:
            if isinstance(event, Changed) and event.index <= last:
                for change in replay.apply(event.patch):
                    if event.index == index or event in step:
                        if change.problem:
                            problems.append(change.problem)
                        else:
                            changes[change.toolset, change.table, change.row] = change
        return cls(last, case.rows, replay.touched, changes, tuple(problems))

    def table(self, toolset: str, table: str) -> dict[str, Any]:
        """The rows of a table: those that the step changed first, then the rest, those gone left out."""
        rows = dict(self.rows.get(toolset, {}).get(table, {}))
        for (of, name, row), value in self.touched.items():
            if (of, name) == (toolset, table):
                rows[row] = value
        new = {key[2]: rows[key[2]] for key in self.changes if key[:2] == (toolset, table) and key[2] in rows}
        return {**new, **{row: value for row, value in rows.items() if value is not None and row not in new}}

    def tables(self) -> dict[str, list[str]]:
        """Tables by toolset."""
        found = {toolset: list(tables) for toolset, tables in self.rows.items()}
        for toolset, table, _ in self.touched:
            tables = found.setdefault(toolset, [])
            if table not in tables:
                tables.append(table)
        return found


class WorldTree(Tree[WorldPath]):
    """Toolsets, tables, rows and fields; children are made when a node is opened."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Text("world"), id=id)
        self.show_root = True
        self.guide_depth = 2
        self._moment: WorldState | None = None
        self._case: Case | None = None
        self._open: set[WorldPath] = set()

    def show(self, case: Case, events: Iterable[Event], index: int) -> None:
        """Show the world after an event; what was open stays open, and what the step changed is opened."""
        events = list(events)
        if case is not self._case:
            self._case, self._open = case, set()
        moment = self._moment = WorldState.of(case, events, index)
        time = next((event.time for event in events if event.index == moment.index), 0)
        when = "at the start" if moment.index < 0 else f"after #{moment.index}"
        count = len(moment.changes)
        told = f", {count} row{'' if count == 1 else 's'} changed" if count else ""
        self.clear()
        self.root.set_label(Text.assemble(f"{when}, {clock(time, case)}", (told, "bold yellow")))
        changed = {key[:size] for key in moment.changes for size in (1, 2, 3)}
        for problem in moment.problems:
            self.root.add_leaf(Text(line(problem, 200), "yellow"))
        if not moment.tables():
            self.root.add_leaf(Text("no tools, no state", QUIET))
        for toolset in moment.tables():
            self._node(self.root, (toolset,), Text(line(toolset), "bold"), changed)
        self.root.expand()

    def _node(
        self, parent: TreeNode[WorldPath], path: WorldPath, label: Text, changed: set[WorldPath]
    ) -> None:
        is_open = path in self._open or path in changed
        if path in changed:
            label = Text.assemble(("● ", "bold yellow"), label)
        node = parent.add(label, data=path)
        if is_open:
            self._fill(node, path, changed)
            node.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[WorldPath]) -> None:
        """Make the children of a node that is opened for the first time."""
        event.stop()
        node = event.node
        if node.data is None or self._moment is None:
            return
        self._open.add(node.data)
        if not node.children:
            changed = {key[:size] for key in self._moment.changes for size in (1, 2, 3)}
            self._fill(node, node.data, changed)

    def on_tree_node_collapsed(self, event: Tree.NodeCollapsed[WorldPath]) -> None:
        """Keep it closed."""
        event.stop()
        if event.node.data is not None:
            self._open.discard(event.node.data)

    def _fill(self, node: TreeNode[WorldPath], path: WorldPath, changed: set[WorldPath]) -> None:
        moment = self._moment
        assert moment is not None
        match path:
            case (toolset,):
                for table in moment.tables()[toolset]:
                    rows = len([one for one in moment.table(toolset, table).values() if one is not None])
                    label = Text.assemble(line(table), (f"  {rows:,}", QUIET))
                    self._node(node, (*path, table), label, changed)
            case (toolset, table):
                rows_now = moment.table(toolset, table)
                for row, value in islice(rows_now.items(), SHOWN):
                    self._node(node, (*path, row), self._row_label(path, row, value), changed)
                if len(rows_now) > SHOWN:
                    node.add_leaf(Text(f"and {len(rows_now) - SHOWN:,} more", QUIET))
            case (toolset, table, row):
                self._fields(node, path, moment.table(toolset, table).get(row))
            case (toolset, table, row, *keys):
                within: Any = moment.table(toolset, table).get(row)
                for key in keys:
                    within = within[int(key)] if isinstance(within, list) else within[key]
                self._values(node, path, within)

    def _row_label(self, path: WorldPath, row: str, value: Any) -> Text:
        assert self._moment is not None
        key = (path[0], path[1], row)
        change = self._moment.changes.get(key)
        short = (
            flow({name: one for name, one in value.items() if name != "id"}, 60, terse=True)
            if isinstance(value, dict)
            else flow(value, 60)
        )
        if change is None:
            was = ("○ ", QUIET) if key in self._moment.touched else ("", "")
            return Text.assemble(was, line(row, 40), (f"  {short}", QUIET))
        if change.after is None:
            gone = flow(change.before, 60, terse=isinstance(change.before, dict))
            return Text.assemble((f"- {line(row, 40)}", "red"), (f"  gone: {gone}", "red"))
        mark, style = ("+", "green") if change.before is None else ("~", "yellow")
        return Text.assemble((f"{mark} {line(row, 40)}", style), (f"  {short}", QUIET))

    def _fields(self, node: TreeNode[WorldPath], path: WorldPath, value: Any) -> None:
        assert self._moment is not None
        change = self._moment.changes.get((path[0], path[1], path[2]))
        if change is not None and change.before is not None and change.after is not None:
            for name, old, new in change.fields():
                node.add_leaf(
                    Text.assemble(
                        (f"{line(name, 40)}: ", "yellow"),
                        (flow(old, 200), "red"),
                        " → ",
                        (flow(new, 200), "green"),
                    )
                )
            done = {name for name, _, _ in change.fields()}
            value = {name: one for name, one in value.items() if name not in done}
        shown = change.before if value is None and change is not None else value
        self._values(node, path, shown)

    def _values(self, node: TreeNode[WorldPath], path: WorldPath, value: Any) -> None:
        pairs: Iterable[tuple[str, Any]]
        if isinstance(value, dict):
            pairs = value.items()
        elif isinstance(value, list):
            pairs = ((str(place), one) for place, one in enumerate(value))
        else:
            node.add_leaf(Text(flow(value, 2000)))
            return
        for name, one in islice(pairs, SHOWN):
            label = Text.assemble((f"{line(name, 40)}: ", "cyan"), flow(one, 400))
            if isinstance(one, dict | list) and one:
                child = node.add(label, data=(*path, name))
                if child.data in self._open:
                    self._values(child, child.data, one)
                    child.expand()
            else:
                node.add_leaf(label)
        if len(value) > SHOWN:
            node.add_leaf(Text(f"and {len(value) - SHOWN:,} more", QUIET))
