"""An agent that speaks the A2A protocol, asked through the protocol's own SDK.

What the user says goes to it as a message, in one context an episode, and what it answers is said to the user. An A2A
agent keeps its own tools and instructions: the protocol has no place for tools of ours. The scenario's policy goes along
as the metadata of each message, for agents that read it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable
from typing import Any, Literal

import httpx
from a2a.client import A2AClientError, Client, ClientConfig, ClientFactory
from a2a.helpers import new_text_message
from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest, Task, TaskState
from a2a.utils.errors import A2AError
from google.protobuf.json_format import MessageToJson

from riskbox.agents.service import TOKEN, check_address
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ParticipantFault
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.observation import AgentView, Observation
from riskbox.sandbox.words.secrets import expanded
from riskbox.sandbox.words.size import WIRE

CONNECT = 10.0
"""Timeout in seconds for connecting and for the agent card; an answer may take the whole turn."""
POLL = 0.5
"""Seconds between two polls of a task that is not finished."""

UNDER_WAY = (TaskState.TASK_STATE_UNSPECIFIED, TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING)
BROKEN = {
    TaskState.TASK_STATE_FAILED: "failed",
    TaskState.TASK_STATE_CANCELED: "was cancelled",
    TaskState.TASK_STATE_AUTH_REQUIRED: f"asks to be authenticated; set {TOKEN} if that is a bearer token",
}
"""States that give no answer, and how to say so."""


class A2A(Participant):
    """Plays by sending messages to an A2A agent.

    Args:
        url: The address below which its card lies, at `.well-known/agent-card.json`.
    """

    continuity: Literal["stateless", "session"] = "session"

    def __init__(self, url: str) -> None:
        self.url = url
        """As it was named, which is what errors show."""
        self._address = expanded(url, "a2a")
        self._client: Client | None = None
        self._http: httpx.AsyncClient | None = None
        self._seen = 0
        self._context = self._task = ""
        self._shown: set[tuple[str, str]] = set()

    @classmethod
    def check(cls, url: str) -> None:
        """Check the address.

        Raises:
            PluginError: it is not an HTTP address.
        """
        check_address(url, "a2a", "a2a:http://host:port")

    async def ready(self) -> None:
        """Read the agent's card, once."""
        await self._connected()

    async def act(self, seen: Observation) -> Action:
        """Send what the user has said since the last turn, and return the answer.

        Raises:
            ParticipantFault: it cannot be reached, or its task fails.
        """
        client = await self._connected()
        news = seen.events[self._seen :]
        self._seen = len(seen.events)
        heard = [event.text for event in news if isinstance(event, Said) and event.by != seen.party]
        if not heard:
            return Action()
        try:
            answer = await self._asked(client, _message("\n".join(heard), seen, self._context, self._task))
        except (A2AError, httpx.HTTPError, ValueError) as error:
            raise ParticipantFault(f"{self.url}: {type(error).__name__}: {error}") from None
        if isinstance(answer, Message):
            self._context, self._task = answer.context_id or self._context, ""
            return Action(text=_text(answer.parts))
        return self._told(answer)

    async def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            await self._http.aclose()

    async def _connected(self) -> Client:
        if self._client is None:
            logging.getLogger("a2a").setLevel(logging.CRITICAL)  # what goes wrong is told in the fault
            self._http = httpx.AsyncClient(
                auth=_Bearer(self._address),
                headers={"Accept-Encoding": "identity"},
                timeout=httpx.Timeout(None, connect=CONNECT),
                transport=_Limited(),
                trust_env=False,
            )
            # no streaming: only whole answers are used
            factory = ClientFactory(ClientConfig(streaming=False, httpx_client=self._http))
            try:
                self._client = await factory.create_from_url(
                    self._address, resolver_http_kwargs={"timeout": CONNECT}
                )
            except (A2AError, httpx.HTTPError, ValueError) as error:
                raise ParticipantFault(f"{self.url} shows no card of an A2A agent: {error}") from None
        return self._client

    async def _asked(self, client: Client, message: Message) -> Message | Task:
        """The answer to a message: a message, or a task that is finished or waits for the user."""
        async for event in client.send_message(SendMessageRequest(message=message)):
            if event.HasField("message"):
                return event.message
            task = event.task
            while task.status.state in UNDER_WAY:
                await asyncio.sleep(POLL)
                task = await client.get_task(GetTaskRequest(id=task.id))
            return task
        raise A2AClientError("nothing was answered")

    def _told(self, task: Task) -> Action:
        """What a task says: its new artifacts, then the text of its status."""
        state, said = task.status.state, _text(task.status.message.parts)
        if state in BROKEN:
            raise ParticipantFault(f"{self.url}: the task {BROKEN[state]}. {said}".rstrip())
        self._context = task.context_id or self._context
        self._task = task.id if state == TaskState.TASK_STATE_INPUT_REQUIRED else ""
        made = [(one.artifact_id, _text(one.parts)) for one in task.artifacts]
        fresh = [text for id, text in made if (id, text) not in self._shown]
        self._shown.update(made)
        lines = [*fresh, said] if said not in fresh else fresh
        note = "The A2A task was rejected." if state == TaskState.TASK_STATE_REJECTED else ""
        return Action(text="\n".join(filter(None, lines)), note=note)


def _message(text: str, seen: Observation, context: str, task: str) -> Message:
    brief = seen.brief
    assert isinstance(brief, AgentView)
    # protobuf refuses what is not UTF-8, and models may say lone surrogates
    told = text.encode("utf-8", "replace").decode()
    made: Message = new_text_message(
        told, role=Role.ROLE_USER, context_id=context or None, task_id=task or None
    )
    made.metadata.update({"name": brief.name, "policy": brief.policy})
    return made


def _text(parts: Iterable[Part]) -> str:
    return "\n".join(filter(None, map(_part, parts)))


def _part(part: Part) -> str:
    match part.WhichOneof("content"):
        case "text":
            return str(part.text)
        case "data":
            return str(MessageToJson(part.data, indent=None, ensure_ascii=False))
        case "url":
            return str(part.url)
        case "raw":
            return f"[file {part.filename or 'without a name'}, {len(part.raw):,} bytes]"
    return ""


# --- HTTP -------------------------------------------------------------------------------------------------------


class _Bearer(httpx.Auth):
    """Sends the token to the named host only: a card may name any host."""

    def __init__(self, url: str) -> None:
        self._origin = _origin(httpx.URL(url))

    def auth_flow(self, request: httpx.Request) -> Any:
        token = os.environ.get(TOKEN)
        if token and _origin(request.url) == self._origin:
            request.headers["Authorization"] = f"Bearer {token}"
        yield request


def _origin(url: httpx.URL) -> tuple[Any, ...]:
    return url.scheme, url.host, url.port


class _Limited(httpx.AsyncHTTPTransport):
    """An HTTP transport that limits the size of responses."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise httpx.DecodingError("the answer is compressed, which was not asked for", request=request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Counted(response.stream, request)
        return response


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream, self._request = stream, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > WIRE:
                raise httpx.DecodingError(f"the answer is larger than {WIRE:,} bytes", request=self._request)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
