"""What files and folders refuse, in the words of a tool and of a shell."""

from __future__ import annotations

from typing import Literal

from riskbox.sandbox.contracts.table import ToolError

REFUSALS: dict[str, tuple[str, str, Literal["validation", "permission", "resource"], str]] = {
    "not_found": (
        "There is no file or folder {}.",
        "No such file or directory",
        "validation",
        "List its folder.",
    ),
    "permission_denied": ("You have no permission for {}.", "Permission denied", "permission", ""),
    "is_folder": ("{} is a folder.", "Is a directory", "validation", ""),
    "not_folder": ("{} is not a folder.", "Not a directory", "validation", ""),
    "not_empty": ("The folder {} is not empty.", "Directory not empty", "validation", "Pass recursive."),
    "exists": (
        "There already is {}.",
        "File exists",
        "validation",
        "Choose another name, or pass overwrite.",
    ),
    "no_space": ("There is no space left for {}.", "No space left on device", "resource", ""),
    "too_large": ("{} would be larger than a file may be.", "File too large", "resource", ""),
    "too_many_links": (
        "{} leads through too many links.",
        "Too many levels of symbolic links",
        "validation",
        "",
    ),
    "not_owner": ("You do not own {}.", "Operation not permitted", "permission", ""),
    "not_link": ("{} is no link.", "Invalid argument", "validation", ""),
    "bad_path": ("{} is not a usable path.", "Invalid argument", "validation", ""),
}
"""By error code: the sentence, what a shell says, the class of the error, and a hint."""


def refusal(code: str, path: str) -> ToolError:
    """The error of this code about a path."""
    sentence, _, kind, hint = REFUSALS[code]
    return ToolError(code, sentence.format(path or "''"), kind=kind, hint=hint)
