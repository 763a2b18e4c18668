"""Names that must exist: fields of rows, of calls, of anything a condition mentions."""

from __future__ import annotations

import pytest

from riskbox.sandbox.loading.loader import loads
from tests.sandbox.loading.records import edited, problems


def test_a_row_names_the_field_it_does_not_have() -> None:
    (found,) = problems(edited("diagnosis: Crohn's", "diagnosys: Crohn's"))
    assert "world.clinic.patients[0].diagnosys: unknown field. Did you mean 'diagnosis'?" in found
    (found,) = problems(edited('next_visit: "2026-04-14"', "next_visit: soon"))
    assert "write it 2026-04-14" in found and "found 'soon'" in found


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (
            "calls('mail.send').exists(c, c.effct)",
            "a call has no field 'effct'. Did you mean 'effect'? "
            "Known: args, effect, error, index, ok, result, tool.",
        ),
        ("calls('mail.send').filter(c, c.effect).all(d, d.arguments.to == 'x')", "no field 'arguments'"),
        ("(calls('mail.send') + calls('mail.reply')).exists_one(c, !c.okay)", "no field 'okay'"),
        (
            "calls('mail.send').exists(c, c.args.too == 'x')",
            "mail.send has no argument 'too'. Did you mean 'to'?",
        ),
        ("calls('mail.send').exists(c, has(c.args.too))", "mail.send has no argument 'too'"),
    ],
)
def test_a_field_of_a_call_is_checked_on_loading(check: str, said: str) -> None:
    old = "said_date('agent', '2026-04-14')"
    (found,) = problems(edited(old, check))
    assert " goals[0].check: " in found and said in found
    loads(
        edited(
            old,
            check.replace("effct", "effect")
            .replace("arguments", "args")
            .replace("okay", "ok")
            .replace("too", "to"),
        )
    )


def test_a_field_of_something_else_is_left_alone() -> None:
    old = "said_date('agent', '2026-04-14')"
    for check in (
        "calls('mail.send').exists(c, c.result.to.exists(a, a.endsWith('x')))",
        "calls('mail.*').exists(c, 'body' in c.args && c.args.whatever == 'x')",
        "[value('/mail/messages')].exists(c, c.whatever == 'x')",
        "(calls('mail.send') + calls('mail.reply')).exists(c, c.args.message == 'x')",
    ):
        loads(edited(old, check))
