"""Cases and episodes to judge, and judges that are scripts: models of the contract, answering by a function."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jsonschema import Draft202012Validator

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.model import Ledger, Model, Models, Prompt, Reply
from riskbox.sandbox.episode.playing import PreparedCases, assess, make_participants, play_episode
from riskbox.sandbox.loading.loader import loads
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Episode
from riskbox.sandbox.words.modelcall import ModelCall, ModelRole
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.verdict import Assessment
from riskbox.sandbox.yamlfile import read_yaml
from tests.blank import blank, cite

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"

Make: TypeAlias = Callable[..., Any]
Script: TypeAlias = Callable[[Prompt, str], Any]
"""From the prompt and the judge's name to an answer, a `Reply`, or an exception to raise; may be a coroutine."""


@dataclass
class Bench(Models):
    """Judges that answer by a script. As the contract says, a value is given only if it satisfies the schema."""

    script: Script
    prompts: list[Prompt] = field(default_factory=list)
    settings: list[Mapping[str, Any]] = field(default_factory=list)

    def model(
        self,
        name: str,
        seat: ModelRole,
        ledger: Ledger,
        seed: int,
        settings: Mapping[str, Any] | None = None,
    ) -> Model:
        assert seat == "judge"
        self.settings.append(settings or {})
        return Scripted(name, self, ledger)

    async def close(self) -> None:
        """Nothing is open."""


class Scripted(Model):
    def __init__(self, name: str, bench: Bench, ledger: Ledger) -> None:
        self.name, self.bench, self.ledger = name, bench, ledger

    async def ask(self, prompt: Prompt) -> Reply:
        self.bench.prompts.append(prompt)
        found = self.bench.script(prompt, self.name)
        found = await found if inspect.isawaitable(found) else found
        if isinstance(found, Exception):
            raise found
        reply = found if isinstance(found, Reply) else self._fitting(prompt, found)
        call = ModelCall(seat="judge", purpose=prompt.purpose, model=self.name, outcome=reply.outcome)
        self.ledger.calls.append(call)
        return reply

    def _fitting(self, prompt: Prompt, value: Any) -> Reply:
        text = json.dumps(value)
        wrong = [*Draft202012Validator(dict(prompt.schema or {})).iter_errors(value)]
        return Reply("malformed", text, detail=wrong[0].message) if wrong else Reply("ok", text, value=value)


def answering(**changed: Any) -> Script:
    """A judge that claims nothing but what it is given: `answering(**{"risks.harm": {"answer": "realised"}})`."""

    def script(prompt: Prompt, name: str) -> Any:
        assert prompt.asked is not None
        shown = re.search(r'"event": (\d+)', prompt.messages[1]["content"])
        answer = blank(prompt.asked, int(shown[1]) if shown else 0)
        for place, fields in changed.items():
            node = answer
            for part in place.split("."):
                node = node[part]
            node.update(_cited(fields, node, prompt.messages[1]["content"]))
        return answer

    return script


def _cited(fields: dict[str, Any], node: dict[str, Any], told: str) -> dict[str, Any]:
    """Fields of an answer; events that are cited by number alone are quoted, where quotes are asked for."""
    given = fields.get("evidence", ())
    if not any(isinstance(one, dict) for one in node.get("evidence", ())):
        return fields
    return {
        **fields,
        **(
            {"evidence": [one if isinstance(one, dict) else cite(told, one)[0] for one in given]}
            if "evidence" in fields
            else {}
        ),
    }


@pytest.fixture(scope="session")
def answers() -> Callable[..., Script]:
    """See `answering`."""
    return answering


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    """Judges by a script."""
    return Bench


@pytest.fixture(scope="session")
def case_with() -> Callable[..., Case]:
    """The example's case of one persona, with some keys of the scenario replaced and one reference."""

    def made(
        persona: str = "neighbour",
        *,
        agent: list[dict[str, Any]] | None = None,
        brief: dict[str, Any] | None = None,
        **changed: Any,
    ) -> Case:
        fields = read_yaml(RECORDS) | {"risks": [], "goals": [], "variants": {}} | changed
        fields["agent"] = brief or fields["agent"]
        script = agent or [{"say": "Hello."}]
        fields["references"] = [{"for": {"persona": persona}, "ends": "safe", "agent": script}]
        found = {one.persona: one for one in cases([loads(json.dumps(fields), RECORDS)])}
        return found[persona]

    return made


@pytest.fixture(scope="session")
def played() -> Callable[..., Episode]:
    """Plays a case's reference."""

    def made(case: Case, agent: str = "reference:0") -> Episode:
        prepared = PreparedCases({case.hash: case})
        spec = Spec.of(case.hash, Cast(agent=agent), 1)
        return asyncio.run(
            play_episode("t", spec, prepared.of(case.hash), make_participants(spec, case), [])
        ).episode

    return made


@pytest.fixture(scope="session")
def judge() -> Callable[..., Assessment]:
    """Assesses an episode with scripted judges, by the way that runs take."""

    def made(
        models: Models,
        case: Case,
        episode: Episode,
        *judges: str,
        profile: str = "judge",
        **settings: Any,
    ) -> Assessment:
        asking = evaluator(profile, models, judges=judges or ("stub/one",), **settings)
        return asyncio.run(assess(case, episode, [asking]))[0]

    return made


@pytest.fixture
def stub_judged(stub: Stub) -> Callable[..., Assessment]:
    """Assesses an episode with models of the stub, over HTTP; judges are named `stub.url/v1#judge` by default."""

    def made(
        case: Case, episode: Episode, *judges: str, profile: str = "judge", **settings: Any
    ) -> Assessment:
        async def assessed() -> Assessment:
            clients = Clients(ModelOptions(retries=0))
            try:
                names = [f"{stub.url}/v1#{one}" for one in judges or ("judge",)]
                asking = evaluator(profile, clients, judges=names, **settings)
                return (await assess(case, episode, [asking]))[0]
            finally:
                await clients.close()

        return asyncio.run(assessed())

    return made


@pytest.fixture(scope="session")
def judged(case_with: Make, played: Make, bench: Make, answers: Make, judge: Make) -> Make:
    """Judges one episode of the example with a scripted judge; gives the assessment, the prompts and the episode."""

    def made(
        *changed: Any, persona: str = "neighbour", agent: Any = None, script: Any = None, **fields: Any
    ) -> Any:
        one: Case = case_with(persona, agent=agent, **fields)
        episode: Episode = played(one)
        models = bench(script or answers(**(changed[0] if changed else {})))
        return judge(models, one, episode), models.prompts, episode

    return made
