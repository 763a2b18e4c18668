"""Hostile text, made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from riskbox.sandbox.escape import clipped, in_markup, inert, line

VISIBLE = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u0890\u0891\u08e2")
"""Format characters that have a glyph: Arabic number and verse signs."""

ANY = st.text(st.characters(exclude_categories=[]), max_size=40)


def unseen(text: str) -> list[str]:
    """Characters that move the cursor, turn the direction or cannot be seen or encoded."""
    return [
        one
        for one in text
        if one != "\n" and one not in VISIBLE and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]


def test_every_control_and_format_character_is_named() -> None:
    assert [hex(code) for code in range(0x110000) if unseen(inert(chr(code)))] == []


@given(ANY)
def test_whatever_the_text_nothing_unseen_is_left_but_joiners_between_letters(text: str) -> None:
    assert set(unseen(inert(text))) <= {"\u200c", "\u200d"}
    inert(text).encode()


@given(ANY)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    once = inert(text)
    assert inert(once) == once


@given(ANY, st.integers(1, 30))
def test_a_line_is_one_line_and_no_longer_than_asked(text: str, limit: int) -> None:
    shown = line(text, limit)
    assert "\n" not in shown
    assert len(shown) <= limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, naïve, 日本語, 😀", "plain, naïve, 日本語, 😀"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("tab\tbed", "tab    bed"),
        ("\u202egnp.exe", "<U+202E>gnp.exe"),
        ("zero\u200bwidth\ufeff", "zero<U+200B>width<U+FEFF>"),
        ("\U000e0068\U000e0069 there", "<hidden: hi> there"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", "a<U+200D>b"),
        ("e\u0301" + "o" + "\u0301" * 9, "e\u0301o" + "\u0301" * 4 + "<5 more marks>"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_inert(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_clipping_says_how_much_is_missing() -> None:
    assert clipped("short", 10) == "short"
    assert clipped("x" * 2_000, 10) == "xxxxxxxxxx… (1,990 more characters)"


@pytest.mark.parametrize(
    "text", ["[bold]x[/bold]", "[/]", "\\[red]", "ends with \\", "[link=http://evil.example]x", "[[]]"]
)
def test_markup_stands_for_itself(text: str) -> None:
    assert Text.from_markup(in_markup(text) + "[b]![/b]").plain == f"{text}!"


def test_a_megabyte_takes_no_time() -> None:
    assert len(inert("\x1b" * 1_000_000)) == 1_000_000
    assert inert("\u0301" * 1_000_000).endswith("<999996 more marks>")
