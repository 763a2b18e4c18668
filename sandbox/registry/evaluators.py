"""Evaluators, by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Models
from riskbox.sandbox.errors import InputError, PluginError, RiskboxError
from riskbox.sandbox.registry.plugins import Plugins, built_in, described

EVALUATORS = {
    "checks": "riskbox.evaluators.checks:Checks",
    "judge": "riskbox.evaluators.judge:Judge",
    "haicosystem": "riskbox.evaluators.haicosystem:Haicosystem",
    "user_judge": "riskbox.evaluators.user_judge:UserJudge",
}
"""The evaluators that ship with Riskbox."""
PLUGINS = Plugins("evaluator")
"""Evaluators of installed packages and of the user's own code."""
HINT = "Your own code is written module:Name or file.py:Name."
TAKEN = (*EVALUATORS, "human")
"""Names under which assessments are stored that no evaluator of one's own makes."""


def evaluator_names() -> tuple[str, ...]:
    """Every evaluator that is known by name, sorted."""
    return tuple(sorted({*EVALUATORS, *PLUGINS.installed}))


def is_own(name: str) -> bool:
    """Whether an evaluator is code that does not ship with Riskbox."""
    return name not in EVALUATORS and PLUGINS.is_own(name)


def evaluator_class(name: str) -> type[Evaluator]:
    """The class of an evaluator.

    Args:
        name: A built-in name, that of an entry point, `module:Name` or `file.py:Name`.

    Raises:
        UnknownName: nothing has this name; with the nearest that is known.
        PluginError: it does not load, is no `Evaluator`, or stores its assessments under a name that is taken.
    """
    if name in EVALUATORS:
        shipped: type[Evaluator] = built_in(EVALUATORS[name])
        return shipped
    found = PLUGINS.find(name, EVALUATORS, HINT)
    kind = type(found) if isinstance(found, Evaluator) else found
    if not (inspect.isclass(kind) and issubclass(kind, Evaluator)):
        raise PluginError(
            f"{name} is {described(found)}, not an evaluator. An evaluator is a class that derives from Evaluator, or an "
            "object of one."
        )
    for field in ("name", "version"):
        if not isinstance(getattr(kind, field, None), str) or not getattr(kind, field):
            raise PluginError(f'{name} has no {field}; write `{field} = "..."` in the class.')
    if kind.name in TAKEN:
        raise PluginError(
            f"{name} has the name of a built-in evaluator, {kind.name!r}; give it another name."
        )
    return kind


def evaluator_code(names: Iterable[str]) -> dict[str, str]:
    """The hash of the code of each evaluator that Riskbox does not ship, by name."""
    return {name: PLUGINS.code(name) for name in names if is_own(name)}


def assessors(
    names: Sequence[str], judges: Sequence[str], user_judges: Sequence[str] = ()
) -> tuple[str, ...]:
    """Who assesses a run, in order: built-in judges that are named, `judge` where there are judges and nobody else asks
    them, `checks`, then code of one's own, and at last `user_judge` where the user is judged. The first decides
    headline, label and gates where nobody is named.

    Raises:
        UnknownName, PluginError: an evaluator does not exist, or does not load.
        InputError: one asks a model, and no judge is named.
    """
    if "user_judge" in names:
        raise InputError(
            "the evaluator user_judge judges users; name its model with --user-judge MODEL (user_judge=)."
        )
    asking = [name for name in names if evaluator_class(name).asks]
    if asking and not judges:
        raise unasked(asking[0])
    added = ("judge",) if judges and not asking else ()
    shipped = [name for name in names if not is_own(name) and name != "checks"]
    last = ("user_judge",) if user_judges else ()
    return tuple(dict.fromkeys((*shipped, *added, "checks", *names, *last)))


def unasked(name: str) -> InputError:
    """What to say where an evaluator asks a model, and none is named."""
    return InputError(f"the evaluator {name} asks a model; name one with --judge MODEL (judge=).")


def stored_name(name: str) -> str:
    """The name under which an evaluator's assessments are stored; a word that is nobody's is taken for one."""
    return evaluator_class(name).name if ":" in name or name in PLUGINS.installed else name


def evaluator(name: str, models: Models | None = None, **settings: Any) -> Evaluator:
    """An evaluator by name. One that is not built in notes the hash of its code among its settings, so that the
    assessments of changed code stand beside those of the old one.

    Args:
        name: Which.
        models: Where those that ask a model find it.
        settings: What one that asks a model is to do differently from its defaults; `judges` names the models.

    Raises:
        UnknownName, PluginError: there is none of that name, or it cannot be made.
    """
    kind: Any = evaluator_class(name)
    ready = PLUGINS.find(name) if is_own(name) else None
    try:
        made: Evaluator = (
            ready
            if isinstance(ready, Evaluator)
            else kind(models, **settings)
            if kind.asks
            else kind(**settings)
        )
    except RiskboxError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{name} cannot be made: {type(error).__name__}: {error}") from error
    if is_own(name):
        made.settings = {**getattr(made, "settings", {}), "code": PLUGINS.code(name)}
    return made


def evaluators(
    names: Iterable[str], models: Models | None = None, judging: Mapping[str, Any] | None = None
) -> list[Evaluator]:
    """Several evaluators; those that ask a model are given the settings, and a judge of the user `user_judge` of them.

    Raises:
        UnknownName, PluginError: there is none of a name, or it cannot be made.
    """
    asked = dict(judging or {})
    shared: dict[str, Any] = {name: asked[name] for name in ("settings", "per_question") if name in asked}
    of_users = {"judges": asked.pop("user_judge", ()), **shared}
    kinds = [(name, evaluator_class(name)) for name in names]
    return [
        evaluator(name, models, **((of_users if kind.about_user else asked) if kind.asks else {}))
        for name, kind in kinds
    ]
