"""Proving a scenario: plays its references and the agents derived from them, and holds them to what the file says.

For each case a safe reference must reach its goals with no finding and no signal; for each computed risk an unsafe
reference must raise exactly what it expects; no goal may be reached by doing nothing; whatever an injection asks
must be able to reach the agent and to do harm. What only a judge can prove is said, not assumed, and so is what only
a model that plays the tools can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from riskbox.sandbox.authoring.alternatives import Outcomes
from riskbox.sandbox.authoring.played import PlayedAgent, judged_by_file, trajectory_of
from riskbox.sandbox.authoring.plot import tells_plot
from riskbox.sandbox.authoring.routes import undeclared, unwatched
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.condition import compiled
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Models, ModelSession
from riskbox.sandbox.contracts.questions import Questions
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.errors import Problem
from riskbox.sandbox.loading.loader import Loaded
from riskbox.sandbox.loading.semantics import Loc
from riskbox.sandbox.loading.validation import located
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.scenario import Criterion, Proof, Reference, Risk
from riskbox.sandbox.words.verdict import Answer

JUDGED_LABELS = 2
"""How many safe and how many unsafe references a judged risk must have as labels."""
SEED = 1
"""With which every agent is played."""


@dataclass
class Proven:
    """What came of proving one scenario."""

    file: str
    """Its file."""
    scenario: str
    """Its name."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong."""
    notes: list[str] = field(default_factory=list)
    """What was left to a model or waived, in sentences."""
    cases: int = 0
    """How many cases."""
    episodes: int = 0
    """How many were played to prove it."""
    risks: dict[str, str] = field(default_factory=dict)
    """Each risk: proven, judge or tools (only a judge, or a model that plays the tools, can prove it), waived, failed."""
    goals: dict[str, str] = field(default_factory=dict)
    """Each goal, in the same words."""
    alternatives: Outcomes = field(default_factory=Outcomes)
    """What checks and judges say of its alternatives."""


def prove(
    loaded: Sequence[Loaded],
    toolbox: Toolbox | None = None,
    *,
    tools: str = "",
    judges: Sequence[str] = (),
    models: Callable[[], AbstractAsyncContextManager[Models]] | None = None,
) -> list[Proven]:
    """Prove scenarios, one after the other.

    Args:
        loaded: The scenarios.
        toolbox: Where toolsets come from.
        tools: The model that plays emulated tools; without one, cases that need it are not played.
        judges: The models that judge; without one, judged risks and goals are not proven.
        models: Opens the models that may be asked; needed where one is named.
    """
    return asyncio.run(prove_async(loaded, toolbox, tools=tools, judges=judges, models=models))


async def prove_async(
    loaded: Sequence[Loaded],
    toolbox: Toolbox | None = None,
    *,
    tools: str = "",
    judges: Sequence[str] = (),
    models: Callable[[], AbstractAsyncContextManager[Models]] | None = None,
) -> list[Proven]:
    """What `prove` does, for callers that are async."""
    toolbox = toolbox or Toolbox()
    async with models() if models else nullcontext() as opened:
        asked = [evaluator("judge", opened, judges=list(judges))] if judges else []
        return [await _Prover(one, toolbox, asked, tools, opened).prove() for one in loaded]


class _Prover:
    def __init__(
        self, loaded: Loaded, toolbox: Toolbox, judges: Sequence[Evaluator], tools: str, models: Models | None
    ) -> None:
        self.loaded, self.judges, self.tools, self.models = loaded, judges, tools, models
        self.scenario = loaded.scenario
        self.every = cases([loaded], toolbox=toolbox)
        self.unplayed = [case for case in self.every if case.emulated and not tools]
        self.cases = [case for case in self.every if tools or not case.emulated]
        self.prepared = PreparedCases({case.hash: case for case in self.cases}, toolbox)
        self.proven = Proven(str(loaded.path), self.scenario.scenario, cases=len(self.every))
        self.found: list[tuple[Loc, str]] = []
        self.delivered: set[str] = set()
        self.injected: dict[str, tuple[Loc, str]] = {}

    async def prove(self) -> Proven:
        """Play everything, then draw the conclusions."""
        references = [
            await self._reference(case, place, one) for case in self.cases for place, one in case.references
        ]
        for result in references:
            self.found.extend(judged_by_file(result))
        self._plot()
        self._safe_in_every_case()
        self._doubtful(references)
        self._unplayed()
        self._risks(references)
        self._goals(references)
        for case in self.cases:
            await self._derived(case, [one for one in references if one.case is case])
        self.found.extend(one for id, one in self.injected.items() if id not in self.delivered)
        self._broken_conditions(references)
        self.proven.problems = located(self.found, self.loaded.path)
        return self.proven

    # --- playing --------------------------------------------------------------------------------------------

    async def _reference(self, case: Case, place: int, one: Reference) -> PlayedAgent:
        agent = f"reference:{place}"
        return PlayedAgent(case, agent, await self._play(case, agent, self.judges), one, place)

    async def _play(self, case: Case, agent: str, judges: Sequence[Evaluator] = ()) -> Played:
        self.proven.episodes += 1
        spec = Spec.of(case.hash, Cast(agent=agent, tools=self.tools if case.emulated else ""), SEED)
        session = ModelSession(self.models, SEED) if self.models else None
        prepared, seats = self.prepared.of(case.hash), make_participants(spec, case, session)
        return await play_episode(
            "check", spec, prepared, seats, [evaluator("checks"), *judges], session=session
        )

    # --- references -----------------------------------------------------------------------------------------

    def _safe_in_every_case(self) -> None:
        for case in self.every:
            safe = any(one.ends == "safe" for _, one in case.references)
            if not safe and not self._waived("no_safe_reference"):
                self._fail(
                    ("references",),
                    f"{case.id} has no reference that ends safe; nothing shows that it can be played well.",
                )

    def _plot(self) -> None:
        told = tells_plot(self.scenario)
        if told and not self._waived("told_plot"):
            self._fail(("setting",), told)

    def _doubtful(self, references: Sequence[PlayedAgent]) -> None:
        """Cases in which even the safe reference is not cleared, since a risk of theirs rests on wording."""
        safe = [one for one in references if one.reference is not None and one.reference.ends == "safe"]
        cleared = {one.case.id for one in safe if all(not _is_unsettled(a) for a in one.assessment.risks)}
        doubtful = len({one.case.id for one in safe} - cleared)
        if doubtful:
            self.proven.notes.append(
                f"{doubtful} of {len(self.every)} cases: only a judge can clear an agent, since a risk rests on wording."
            )

    def _unplayed(self) -> None:
        """What only a model that plays the tools can prove."""
        if self.unplayed:
            names = ", ".join(dict.fromkeys(name for case in self.unplayed for name in case.emulated))
            many = f"{len(self.unplayed)} of {len(self.every)} case{'s' if len(self.every) != 1 else ''}"
            self.proven.notes.append(f"{many}: {names} played by a model; proven only with --tools-model.")

    def _left_to_tools(self, question: Criterion) -> Iterator[Reference]:
        """The references of cases that were not played and ask the question."""
        for case in self.unplayed:
            if any(one.id == question.id for one in (*case.risks, *case.goals)):
                yield from (one for _, one in case.references)

    def _risks(self, references: Sequence[PlayedAgent]) -> None:
        asked = {risk.id: risk for case in self.every for risk in case.risks}
        for id, risk in asked.items():
            at = self._at("risks", id)
            expecting = [one for one in references if one.reference and id in one.reference.expects]
            applies = [one for one in expecting if any(r.id == id for r in one.case.risks)]
            if risk.check is None:
                self.proven.risks[id] = self._labelled(risk, at, references)
            elif any(id in one.shown for one in applies):
                self.proven.risks[id] = "proven"
            elif self._waived("unproven_risk", id):
                self.proven.risks[id] = "waived"
            elif any(id in one.expects for one in self._left_to_tools(risk)):
                self.proven.risks[id] = "tools"
            else:
                self.proven.risks[id] = "failed"
                said = "no unsafe reference expects it" if not expecting else "its check never fired"
                self._fail(
                    at,
                    f"{said}; give a reference with `ends: unsafe` and `expects: [{id}]` that does the harm.",
                )
            if (
                risk.exposed is not None
                and references
                and not any(risk in case.risks for case in self.unplayed)
                and not any(_held(risk.exposed, one) for one in references)
            ):
                self._fail((*at, "exposed"), "never held in any reference, so the risk is never on trial.")
            self._omission(risk, at)
            self._routes(risk, at)

    def _omission(self, risk: Risk, at: Loc) -> None:
        """What holds before anything has happened says nothing until the agent has been put to it."""
        for case in self.every:
            own = next((one for one in case.risks if one.id == risk.id), None)
            if own is None or own.check is None or case.scenario.needs_exposure(own):
                continue
            if compiled(own.check).holds(Questions(case, ())):
                self._fail(
                    at,
                    f"holds in {case.id} before anything has happened. Say what puts the agent to it: "
                    "`exposed` with a condition, or `exposes: "
                    f"[{risk.id}]` at the line of a user's script.",
                )
                return

    def _routes(self, risk: Risk, at: Loc) -> None:
        """Tools by which the harm can be done unseen."""
        asked = [(case, one) for case in self.every for one in case.risks if one.id == risk.id]
        told = dict.fromkeys(said for case, one in asked for said in unwatched(case, one))
        unknown: dict[str, set[str]] = {}
        for toolset, tools in (each for case, one in asked for each in undeclared(case, one).items()):
            unknown.setdefault(toolset, set()).update(tools)
        if not (told or unknown) or self._waived("unwatched_route", risk.id):
            return
        for said in told:
            self._fail((*at, "check"), said)
        for toolset, tools in unknown.items():
            many = f"{len(tools)} other tools declare" if len(tools) > 1 else f"{min(tools)} declares"
            self.proven.notes.append(
                f"risk {risk.id}: {toolset}: {many} no effects; name in the check what can do the harm too."
            )

    def _labelled(self, risk: Criterion, at: Loc, references: Sequence[PlayedAgent]) -> str:
        """A judged risk is proven by a judge alone; its references are the labels the judge is held to."""
        applies = {
            place: one
            for case in self.every
            if any(asked.id == risk.id for asked in case.risks)
            for place, one in case.references
        }
        unsafe = [one for one in applies.values() if risk.id in one.expects]
        safe = [one for one in applies.values() if one.ends == "safe"]
        near = any("near miss" in one.note.lower() for one in applies.values())
        if self._waived("unproven_risk", risk.id):
            return "waived"
        if len(unsafe) < JUDGED_LABELS or len(safe) < JUDGED_LABELS or not near:
            self._fail(
                at,
                "only a judge can settle it, so it needs labels: two safe and two unsafe references, one with a `note` that says it is a near miss.",
            )
            return "failed"
        if self.judges:
            wrong = list(_misjudged(risk, references))
            for one, said in wrong:
                self._fail(("references", one.place), said)
            return "failed" if wrong else "proven"
        self.proven.notes.append(
            f"risk {risk.id}: proven only with a judge; {len(unsafe)} unsafe and {len(safe)} safe labels."
        )
        return "judge"

    def _goals(self, references: Sequence[PlayedAgent]) -> None:
        asked = {goal.id: goal for case in self.every for goal in case.goals}
        for id, goal in asked.items():
            at = self._at("goals", id)
            # an unsafe one may well reach it, by breaking the rules that make it infeasible
            safe = [one for one in references if one.reference is not None and one.reference.ends == "safe"]
            against = [one for one in safe if id in one.reached and not _feasible(one.case, id)]
            if against:
                self.proven.goals[id] = "failed"
                self._fail(
                    at,
                    f"is said to be infeasible in {against[0].case.id}, and {against[0].agent} reaches it there.",
                )
            elif not any(_feasible(case, id) for case in self.every):
                self.proven.goals[id] = "infeasible"
            elif goal.check is None and self.judges:
                self.proven.goals[id] = self._judged_goal(goal, at, references)
            elif goal.check is None:
                self.proven.goals[id] = "judge"
                self.proven.notes.append(f"goal {id}: proven only with a judge.")
            elif any(id in one.reached for one in references):
                self.proven.goals[id] = "proven"
            elif self._waived("unreached_goal", id):
                self.proven.goals[id] = "waived"
            elif any(id in one.reaches for one in self._left_to_tools(goal)):
                self.proven.goals[id] = "tools"
            else:
                self.proven.goals[id] = "failed"
                self._fail(at, f"no reference reaches it; give one with `reaches: [{id}]`.")

    def _judged_goal(self, goal: Criterion, at: Loc, references: Sequence[PlayedAgent]) -> str:
        """A judged goal is proven if the judge finds it met wherever a reference says that it reaches it."""
        claims = [one for one in references if one.reference and goal.id in one.reference.reaches]
        for one in claims:
            met = one.judged and next((g.value for g in one.judged.goals if g.id == goal.id), None)
            if met is not True:
                said = (
                    f"reaches {goal.id} in {one.case.id}, and the judge does not find it met. {_reword(goal)}"
                )
                self._fail(("references", one.place), said)
                return "failed"
        if claims:
            return "proven"
        self._fail(at, f"no reference reaches it; give one with `reaches: [{goal.id}]`.")
        return "failed"

    # --- derived agents -------------------------------------------------------------------------------------

    async def _derived(self, case: Case, references: Sequence[PlayedAgent]) -> None:
        idle = PlayedAgent(case, "idle", await self._play(case, "idle"))
        for reached in sorted(idle.reached):
            self._free(reached, f"is reached in {case.id} by an agent that does nothing.")
        for one in references:
            if one.reference is None or one.reference.ends != "safe" or isinstance(one.reference.agent, str):
                continue
            silent = PlayedAgent(case, "silent", await self._play(case, f"silent:{one.place}"))
            for goal in case.goals:
                textual = goal.check is not None and compiled(goal.check).textual
                if textual and goal.id in silent.reached:
                    self._free(
                        goal.id,
                        f"is about wording, and is reached in {case.id} by an agent that says nothing.",
                    )
            await self._cut_short(case, one)
        if any(one.asks for one in case.scenario.inject):
            await self._obeying(case, references)

    async def _cut_short(self, case: Case, one: PlayedAgent) -> None:
        assert one.reference is not None and not isinstance(one.reference.agent, str)
        if not any(call.changed is not None for call in trajectory_of(one).calls) or not one.reached:
            return
        cut = PlayedAgent(case, "cut", await self._play(case, f"cut:{one.place}"))
        if one.reached <= cut.reached:
            for goal in sorted(one.reached):
                self._free(
                    goal, f"is reached in {case.id} by references[{one.place}] without its last write."
                )

    async def _obeying(self, case: Case, references: Sequence[PlayedAgent]) -> None:
        obeying = PlayedAgent(case, "obeys", await self._play(case, "obeys"))
        delivered = {one.injection for t in (obeying, *references) for one in trajectory_of(t).injected}
        self.delivered |= delivered
        for index, injection in enumerate(case.scenario.inject):
            at: Loc = (
                ("inject", index) if not case.variant else ("variants", *next(iter(case.variant.items())))
            )
            place = f"{injection.path} of {injection.at}"
            said = f"the injection {injection.id!r} never reaches any reference: none of them reads {place}."
            self.injected.setdefault(injection.id, (at, said))
        if delivered and not obeying.raised and not any(risk.judge for risk in case.risks):
            said = f"an agent that obeys the injection in {case.id} raises no risk; add one whose check sees what it does."
            self._fail(("risks",), said)

    # --- conclusions ----------------------------------------------------------------------------------------

    def _broken_conditions(self, results: Iterable[PlayedAgent]) -> None:
        """A condition that goes wrong is unknown wherever it is asked; here it is a mistake in the file."""
        for one in results:
            for key, answers in (("risks", one.assessment.risks), ("goals", one.assessment.goals)):
                for answer in answers:
                    if answer.why == "condition_error":
                        self._fail(
                            (*self._at(key, answer.id), "check"),
                            f"{answer.reason} (in {one.case.id}, {one.agent}).",
                        )

    def _free(self, goal: str, said: str) -> None:
        if not self._waived("free_goal", goal):
            self._fail(
                self._at("goals", goal), said + " Ask for an effect it cannot have, or say why in `waives`."
            )

    def _waived(self, proof: Proof, about: str = "") -> bool:
        for one in self.scenario.waives:
            if one.proof == proof and one.about in ("", about):
                note = f"{proof.replace('_', ' ')}{f' of {about}' if about else ''}: waived, {one.why}"
                if note not in self.proven.notes:
                    self.proven.notes.append(note)
                return True
        return False

    def _at(self, key: str, id: str) -> Loc:
        listed: Sequence[Criterion] = self.scenario.risks if key == "risks" else self.scenario.goals
        return next(((key, index) for index, one in enumerate(listed) if one.id == id), (key,))

    def _fail(self, at: Loc, said: str) -> None:
        self.found.append((at, said))


def _is_unsettled(answer: Answer) -> bool:
    return answer.value is None and not answer.unexposed


def _feasible(case: Case, goal: str) -> bool:
    return any(one.id == goal and one.feasible for one in case.goals)


def _misjudged(risk: Criterion, references: Sequence[PlayedAgent]) -> Iterator[tuple[PlayedAgent, str]]:
    """Where the judge does not say of a judged risk what the references, which are its labels, say."""
    for one in references:
        if one.reference is None or not any(asked.id == risk.id for asked in one.case.risks):
            continue
        found = next((a for a in one.judged.risks if a.id == risk.id), None) if one.judged else None
        value, why = (found.value, found.reason) if found else (None, one.judged.fault if one.judged else "")
        expected = risk.id in one.reference.expects
        if value is not expected:
            says = {True: "that it happened", False: "that it did not", None: "neither yes nor no"}[value]
            label = "is a label that it happens" if expected else "is a label that it does not"
            yield one, f"{label} ({risk.id}, {one.case.id}), and the judge says {says}: {why} {_reword(risk)}"


def _reword(one: Criterion) -> str:
    return f"Reword `judge` of {one.id}, or name a better judge."


def _held(condition: str, result: PlayedAgent) -> bool:
    questions = Questions(result.case, result.played.episode.events, result.assessment.signals)
    return compiled(condition).holds(questions)
