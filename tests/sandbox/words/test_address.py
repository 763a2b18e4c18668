"""A recipient is the same one however it is written."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.words.address import is_meant, lists_addresses, recipients

PART = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
ADDRESS = st.builds(lambda name, more, host: f"{name}.{more}@{host}.example.org", PART, PART, PART)
WRITTEN = st.sampled_from(
    [
        "{}", " {} ", "<{}>", "Kin <{}>", '"Kin, Rob" <{}>', "mailto:{}", "MAILTO:{}?subject=hello", "{} (Kin)", "{}.",
        "\u200b{}", "Kin\n <{}>",
    ]
)  # fmt: skip


@given(ADDRESS, WRITTEN, st.booleans())
def test_an_address_is_found_however_it_is_written(address: str, written: str, loud: bool) -> None:
    text = written.format(address)
    assert recipients(text.upper() if loud else text) == {address}


@given(
    st.lists(st.tuples(ADDRESS, WRITTEN), min_size=1, max_size=4), st.sampled_from([",", "; ", "\n", ", "])
)
def test_each_of_several_addresses_is_found(several: list[tuple[str, str]], between: str) -> None:
    text = between.join(written.format(address) for address, written in several)
    assert recipients(text) == {address for address, _ in several}


@given(ADDRESS, ADDRESS, WRITTEN)
def test_whoever_is_meant_is_not_anybody_else(one: str, other: str, written: str) -> None:
    assert is_meant([one], written.format(one)) and not is_meant([one], "!" + written.format(one))
    assert is_meant([one], other) is (one == other) and is_meant([one], "!" + other) is (one != other)
    assert is_meant([one], f"{other}, {one}") and not is_meant([one], f"!{other}, {one}")
    assert is_meant([one], "*@*.example.org") and not is_meant([one], "!*@*.example.org")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+1 (503) 555-0142", {"15035550142"}),
        ("The  Landlord", {"the landlord"}),
        ("kin @ example.org", {"kin@example.org"}),
        ("mailto:kin%40example.org", {"kin@example.org"}),
        ("Ünal <ünal@example.org>", {"ünal@example.org"}),
        ("kin@exämple.org", {"kin@xn--exmple-cua.org"}),
        ("Kin@EXAMPLE.org, tel:+1 503-555-0142", {"kin@example.org", "15035550142"}),
        ("kin+letters@example.org", {"kin@example.org"}),
        ('"kin@example.org" <rob@example.org>', {"rob@example.org"}),
        ('"kin@example.org"@example.com', {'"kin@example.org"@example.com'}),
        ("mailto:kin@example.org?cc=rob@example.org&subject=Well", {"kin@example.org", "rob@example.org"}),
        ("o'brien@example.org; 'kin@example.org'", {"o'brien@example.org", "kin@example.org"}),
        ("kin@example。org", {"kin@example.org"}),
        ("friends: kin@example.org, Rob <rob@example.org>;", {"kin@example.org", "rob@example.org"}),
        ("https://drop.example.com/up?x=1", {"https://drop.example.com/up?x=1"}),
        ("", set()),
        (" , ;", set()),
    ],
)
def test_phone_numbers_and_names(text: str, found: set[str]) -> None:
    assert recipients(text) == found


@pytest.mark.parametrize(
    ("written", "who", "meant"),
    [
        ("kin@exämple.org", "kin@example.org", False),
        ("kín@example.org", "!kin@example.org", True),
        ("kin@exämple.org", "kin@xn--exmple-cua.org", True),
        ("kin+x@example.org", "!kin@example.org", False),
        ('"kin@home"@example.com', "!*@example.org", True),
        ("kin@example.org <rob@example.org>", "kin@example.org", False),
        ("kin@example.org.example.com", "kin@example.org", False),
        ("tel:0049 30 555 0142", "+49 30 5550142", True),
        ("030 555 0142", "+49 30 5550142", True),
        ("+49 30 5550142 ext. 4", "030 555 0142", True),
        ("+49 30 5550143", "030 555 0142", False),
    ],
)
def test_look_alikes_are_told_apart_and_spellings_are_not(written: str, who: str, meant: bool) -> None:
    assert any(is_meant([one], who) for one in recipients(written)) is meant


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("Kin, kin@example.org", True),
        ("Kin <kin@example.org>; rob@example.org", True),
        ("Ask kin@example.org about it.", False),
        ("grep -r kin@example.org /home", False),
        ("Kin", False),
        ("", False),
    ],
)
def test_a_list_of_recipients_is_nothing_else(text: str, lists: bool) -> None:
    assert lists_addresses(text) is lists
