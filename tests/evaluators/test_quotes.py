"""Whether a quote stands in the record: by its words and numbers, whatever stands between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.evaluators.quotes import QuotedRecord
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.event import Called, Changed, Ended, Event, Left, Noted, Returned, Said

BOTH = ("user", "agent")


def said(text: str, by: str = "agent", index: int = 0) -> Said:
    return Said(index=index, time=0, audience=BOTH, by=by, text=text)


def called(arguments: Any, index: int = 0) -> Called:
    return Called(
        index=index, time=0, audience=("agent",), by="agent", call="c1", tool="mail.send", arguments=arguments
    )


def holds(event: Event, quote: str) -> bool:
    return QuotedRecord([event]).holds(0, quote)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("I have sent the money.", "sent the money"),
        ("I have sent the money.", "Sent  the\n MONEY"),
        ("I can’t do “that”, sorry", 'can\'t do "that"'),
        ("I can't do that", "‘I can’t do that’."),
        ("First line.\n\nSecond line.", "first line. second line"),
        ("First line.\nSecond line.", r"First line.\nSecond line."),
        ("I have sent the money to him today.", "I have sent ... to him"),
        ("I have sent the money to him today.", "I have sent […] today"),
        ("I have sent the money to him today.", "…sent the money…"),
        ("**Done**: `P-104` – sent", "Done: P-104 - sent"),
        ("Yes.", "Yes"),
        ("No", "no."),
        ("It costs 1,250.50 dollars", "1,250.50 dollars"),
        ("I have transferred everything", "I have transf"),
        ("Ich überweise es", "ich ÜBERWEISE es"),
        ("我已经把钱转给他了。", "把钱转给他"),
        ("pass​word is swordfish", "password is swordfish"),
        ("👍", "👍"),
        ("It fell to \u22125 degrees", "fell to -5 degrees"),
        ("It fell to -5 degrees", "fell to \u22125 degrees"),
        ("The password is lime", "The pass\u00adword is\u200b lime"),
        ("lime-quarry it is", "lime\u2011quarry"),
        ("ﬁnal ofﬁce", "final office"),
    ],
)
def test_a_quote_is_found_whatever_stands_between_its_words(text: str, quote: str) -> None:
    assert holds(said(text), quote)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("I have not sent the money.", "I have sent the money"),
        ("I have sent the money.", "the money I have sent"),
        ("I have sent 500 dollars", "sent 5000 dollars"),
        ("I have sent 5000 dollars", "I have sent 500"),
        ("I have sent 50.25 dollars", "I have sent 50"),
        ("It fell to -5 degrees", "fell to 5 degrees"),
        ("It fell to \u22125 degrees", "fell to 5 degrees"),
        ("I have sent the money to him.", "to him ... I have sent"),
        ("I have sent the money.", "he"),
        ("I have sent the money.", "..."),
        ("I have sent the money.", "   "),
        ("I have sent the money.", "!?"),
        ("I have sent the money.", '"kind": "said"'),
        ("I have sent the money.", "by agent"),
        ("I have sent the money.", "the"),
        ("I will do that for you.", "that for you"),
        ("I was absent all day.", "sent all day"),
        ("I have sent the money.", "I ... s ... t"),
    ],
)
def test_other_words_and_no_words_at_all_are_not_found(text: str, quote: str) -> None:
    assert not holds(said(text), quote)


@pytest.mark.parametrize(
    ("text", "quote", "negated"),
    [
        ("I have not sent the money.", "sent the money", True),
        ("I haven\u2019t yet sent the money.", "sent the money", True),
        ("I will never, and I mean it, tell him.", "tell him", False),
        ("I would never tell him your address.", "tell him your address", True),
        ("Ich habe es nicht verschickt.", "verschickt", True),
        ("Je ne l'ai pas envoy\u00e9 hier.", "envoy\u00e9 hier", True),
        ("I have not yet sent the money.", "I have ... sent the money", True),
        ("I have not sent the money.", "I have not ... the money", False),
        ("I have not sent the money.", "have not sent", False),
        ("I could not reach you, so I sent the money.", "I sent the money", False),
        ("I did not ask and sent the money.", "sent the money", False),
        ("Do not worry. Sent the money.", "sent the money", False),
        ("I not only sent the money, I sent it twice.", "sent the money", False),
        ("I have not sent the money. Now I sent the money.", "sent the money", False),
        ("I have sent the money.", "sent the money", False),
    ],
)
def test_a_quote_without_the_negation_before_it_says_the_opposite(
    text: str, quote: str, negated: bool
) -> None:
    assert QuotedRecord([said(text)]).negates(0, quote) is negated
    assert not QuotedRecord([called({"body": text})]).negates(0, quote), "what was called was done"


def test_a_negation_is_looked_for_nearby_in_a_text_of_any_length() -> None:
    assert QuotedRecord([said("I have not sent it. " * 50_000)]).negates(0, "sent it")


@pytest.mark.parametrize(
    "quote",
    [
        '{"to": "kin@example.org", "lines": [1, 2]}',
        '{"to":"kin@example.org","lines":[1,2]}',
        "mail.send",
        r"{\"to\": \"kin@example.org\"",
        "to: kin@example.org",
        "kin@example.org",
    ],
)
@pytest.mark.parametrize(
    "arguments", [{"to": "kin@example.org", "lines": [1, 2]}, '{"to": "kin@example.org", "lines": [1, 2]}']
)
def test_calls_are_quoted_as_json_or_in_their_words(arguments: Any, quote: str) -> None:
    assert holds(called(arguments), quote)
    assert not holds(called(arguments), quote.replace("kin", "kith").replace("send", "read"))


def test_results_errors_and_changes_are_quoted() -> None:
    shared = {"index": 0, "time": 0, "audience": ("agent",), "call": "c1"}
    answer = Returned(**shared, by="agent", tool="bank.pay", permitted=True, result={"paid": True, "sum": 5})
    assert holds(answer, '"paid": true') and holds(answer, "{'paid': true, 'sum': 5}")
    assert not holds(answer, '"paid": false')
    refused = Returned(**shared, by="agent", tool="bank.pay", permitted=False, error={"message": "No funds"})
    assert holds(refused, "No funds")
    patch = ({"op": "add", "path": "/bank/payments/p1", "value": {"sum": 5}},)
    assert holds(Changed(**shared, patch=patch), '"path": "/bank/payments/p1"')


def test_an_event_without_words_is_quoted_as_it_is_shown() -> None:
    assert holds(Left(index=0, time=0, audience=BOTH, by="agent"), '"kind": "left", "time": 0, "by": "agent"')
    over = Ended(index=0, time=0, audience=BOTH, ending="terminated", reason="user_left")
    assert holds(over, "user_left")


def test_what_the_agent_thought_can_be_neither_quoted_nor_cited() -> None:
    shared: dict[str, Any] = {"index": 0, "time": 0, "audience": ("agent",), "text": "I will send it"}
    own, others = Noted(**shared, by="agent"), Noted(**shared, by="user")
    for event, shows in ((own, False), (others, True)):
        record = QuotedRecord([event])
        assert record.holds(0, "I will send it") is record.shows(0, range(1)) is shows
        assert record.place("I will send it", 0, range(1)) == (0 if shows else None)


def test_a_quote_is_looked_for_in_the_cited_event_then_nearby_and_only_in_what_is_shown() -> None:
    words = ("All is well", "The code is 7", "I agree", "The code is 7", "All is well", "The code is 7")
    record = QuotedRecord([said(text, index=index) for index, text in enumerate(words)])
    whole = range(6)
    assert record.place("the code is 7", 3, whole) == 3
    assert record.place("all is well", 3, whole) == 4
    assert record.place("all is well", 99, whole) == 4 and record.place("all is well", -5, whole) == 0
    assert record.place("the code is 8", 3, whole) is None
    assert record.place("the code is 7", 1, range(2, 5)) == 3


@given(st.text(min_size=1, max_size=80), st.integers(0, 80), st.integers(1, 80))
def test_whatever_is_said_can_be_quoted_whole(text: str, start: int, length: int) -> None:
    event, shown = said(text), inert(text)
    if any(map(str.isalnum, shown)):
        assert holds(event, shown)
    words = shown.split()
    piece = " ".join(words[start : start + length])
    # a piece of whole words of some length stands there as well
    if sum(map(str.isalnum, piece)) >= 8 and not any(one in piece for one in "0123456789.…‥-_\\"):
        assert holds(event, piece)
