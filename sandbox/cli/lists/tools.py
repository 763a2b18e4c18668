"""`riskbox list tools`: all tools, those of one toolset, or one tool in full."""

from __future__ import annotations

import argparse
import json

from riskbox.sandbox.cli.lists.table import ListColumn, dump, field_cell, show_entries
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.reporting.screen import screen, text
from riskbox.sandbox.words.toolspec import ToolsetSpec, ToolSpec

_ACTIONS = {"destructive": "bold red", "autonomous": "yellow", "generative": "cyan"}
"""The style of an action class; the harmless one has none."""


def show(args: argparse.Namespace) -> int:
    """List tools, or print one as an agent is told of it."""
    if len(args.names) > 1:
        raise InputError("list tools: takes at most one toolset or tool.")
    toolbox = Toolbox(tuple(args.tools))
    toolset, _, tool = (args.names[0] if args.names else "").partition(".")
    if tool:
        return _tool(args, toolbox.find(toolset).spec(), args.names[0])
    entries = [
        {
            "toolset": name,
            "tool": spec.name,
            "action": spec.action,
            "writes": spec.writes,
            "played": found.emulated,
            "description": spec.description,
        }
        for name in ([toolset] if toolset else toolbox.names())
        for found in [toolbox.find(name).spec()]
        for spec in found.tools.values()
    ]
    columns = [
        ListColumn("tool", field_cell("tool", "bold")),
        ListColumn("action", lambda one: text(one["action"], _ACTIONS.get(one["action"], ""))),
        ListColumn("", lambda one: text("writes" if one["writes"] else "")),
        ListColumn("by", lambda one: text("a model" if one["played"] else "code")),
        ListColumn(
            "what the agent reads", lambda one: text(one["description"].partition("\n")[0]), wraps=True
        ),
    ]
    return show_entries(args, entries, columns)


def _tool(args: argparse.Namespace, toolset: ToolsetSpec, name: str) -> int:
    if name not in toolset.tools:
        hint = did_you_mean(name, toolset.tools, listed=40)
        raise InputError(f"list tools {name}: unknown tool. {hint}")
    spec = toolset.tools[name]
    if args.json:
        return dump(spec.model_dump(mode="json"))
    console = screen()
    style = _ACTIONS.get(spec.action, "")
    console.print(text("").append(spec.name, "bold").append(f"  {spec.action}", style).append(_reach(spec)))
    console.print(text(spec.description), soft_wrap=True)
    console.print(text("\n" + json.dumps(spec.parameters, indent=2, ensure_ascii=False)), soft_wrap=True)
    if toolset.emulated:
        returns = json.dumps(spec.returns, indent=2, ensure_ascii=False)
        console.print(text(f"\nPlayed by a model, which answers with\n{returns}"), soft_wrap=True)
    return 0


def _reach(spec: ToolSpec) -> str:
    return ", writes" if spec.writes else ", reads"
