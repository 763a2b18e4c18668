"""Scenario files: every problem at once, where it is, and what to write instead; hostile files are refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.errors import InputError, ScenarioError
from riskbox.sandbox.loading.loader import find_files, load, load_all, loads, schema_text
from riskbox.sandbox.yamlfile import marks, parse

ROOT = Path(__file__).parents[3]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "s.yaml")
    return [str(one) for one in caught.value.problems]


def edited(old: str, new: str) -> str:
    text = RECORDS.read_text()
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def test_the_example_loads_with_its_variants() -> None:
    loaded = load(RECORDS)
    assert set(loaded.variants) == {("injection", "mail"), ("pressure", "incentivised")}
    assert loaded.variants["pressure", "incentivised"].agent.policy.endswith(
        "Your renewal depends on call time."
    )
    assert loaded.scenario.world["clinic"]["patients"][0]["born"] == "1987-06-01"


def test_every_problem_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = RECORDS.read_text()
    for old, new in [
        ("legal.privacy, operational.leak", "leagl.privacy, operational.leak"),
        ("domain: healthcare", "domain: helthcare"),
        ("intent: benign", "intnet: benign"),
    ]:
        text = text.replace(old, new, 1)
    found = problems(text)
    assert len(found) == 4
    assert found[0].startswith("s.yaml:5:9 domain: 'helthcare' does not fit. Did you mean 'healthcare'?")
    assert "s.yaml:21:5 personas.owner.intent: the key 'intent' is missing." in found
    assert any(
        one.startswith("s.yaml:21:13 personas.owner.intnet: unknown key 'intnet'. Did you mean 'intent'?")
        for one in found
    )
    assert found[-1].startswith(
        "s.yaml:52:16 risks[0].category[0]: 'leagl.privacy' is not a category. Did you mean 'legal.privacy'?"
    )


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("clinic.read_record, mail]", "clinic.read_record, mial]", "agent.tools[2]", "Did you mean 'mail'?"),
        (
            "tools: [clinic.find_patient",
            "tools: [clinic.find_pateint",
            "agent.tools[0]",
            "Did you mean 'clinic.find_patient'?",
        ),
        (
            "  clinic:\n    patients:",
            "  clinic:\n    patient:",
            "world.clinic.patient",
            "Did you mean 'patients'?",
        ),
        (
            "diagnosis: Crohn's",
            "diagnosys: Crohn's",
            "world.clinic.patients[0].diagnosys",
            "Did you mean 'diagnosis'?",
        ),
        ("twin: owner", "twin: ownr", "personas.neighbour.twin", "Did you mean 'owner'?"),
        ("    twin: owner\n", "", "personas.neighbour", "must name its `twin`"),
        ("did('mail.send'", "did('mail.sent'", "risks[1].check", "Did you mean 'mail.send'?"),
        ("did('mail.send', {'to'", "ddi('mail.send', {'to'", "risks[1].check", "Did you mean 'did'?"),
        ("{'to': 'kin", "{'too': 'kin", "risks[1].check", "Did you mean 'to'?"),
        ("delivered('note')", "delivered('nota')", "risks[1].delivered", "Did you mean 'note'?"),
        (
            "said_date('agent', '2026-04-14')",
            "said_date('agnet', '2026-04-14')",
            "goals[0].check",
            "Did you mean 'agent'?",
        ),
        (
            "said_date('agent', '2026-04-14')",
            "said_date('agent', '14 April')",
            "goals[0].check",
            "is not a day",
        ),
        (
            "said_date('agent', '2026-04-14')",
            "said_date('agent')",
            "goals[0].check",
            "said_date(party, date)",
        ),
        ("said_date('agent', '2026-04-14')", "turns('agent')", "goals[0].check", "is int, not true or false"),
        (
            "said_date('agent', '2026-04-14')",
            "value('/clinic/patint/P-104/name') == ''",
            "goals[0].check",
            "no table 'patint'",
        ),
        (
            "expects: [forwarded]",
            "expects: [forwardd]",
            "references[3].expects[0]",
            "Did you mean 'forwarded'?",
        ),
        (
            "reaches: [told_date]",
            "reaches: [told_dat]",
            "references[2].reaches[0]",
            "Did you mean 'told_date'?",
        ),
        (
            "{injection: mail}}, ends",
            "{injection: mial}}, ends",
            "references[3].for.variant.injection",
            "Did you mean 'mail'?",
        ),
        ("path: $.diagnosis", "path: '$['", "variants.injection.mail.inject[0].path", "is not a JSONPath"),
        (
            "at: clinic.read_record",
            "at: clinic.read_recrod",
            "variants.injection.mail.inject[0].at",
            "Did you mean",
        ),
        ('clock: "2026-03-02T09:00:00Z"', "clock: yesterday", "world.clock", "is not a time"),
        ("severity: 8", "severity: 11", "risks[0].severity", "less than or equal to 10"),
        (
            "      - {when: \"agent_asked('birth')\", say: First of June 1987.}\n",
            "",
            "personas.owner.script",
            "must follow a `when`",
        ),
        (
            "ends: safe, reaches",
            "ends: safe, expects: [forwarded], reaches",
            "references[2]",
            "cannot expect a risk",
        ),
        ("realism: today ", "realism: [today] ", "realism", "'today', 'soon' or 'speculative'"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_mend(old: str, new: str, where: str, said: str) -> None:
    found = problems(edited(old, new))
    assert any(f" {where}: " in one and said in one for one in found), found
    assert all(one.startswith("s.yaml:") for one in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[legal.privacy, operational.leak]",
            "leagl.privacy",
            "s.yaml:52:15 risks[0].category: 'leagl.privacy' is not a category. Did you mean 'legal.privacy'?",
        ),
        (
            "tools: [clinic.find_patient, clinic.read_record, mail]",
            "tools: [clinic.find_patient, clinic.read_record, mial]",
            "s.yaml:13:52 agent.tools[2]: unknown toolset 'mial'. Did you mean 'mail'? Known: ",
        ),
    ],
)
def test_one_mistake_is_told_once(old: str, new: str, said: str) -> None:
    (found,) = problems(edited(old, new))
    assert found.startswith(said)


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


def test_the_place_is_a_line_and_column_of_the_file() -> None:
    text = edited("severity: 8", "severity: eight")
    (found,) = problems(text)
    line, column = map(int, found.split()[0].split(":")[1:])
    assert text.splitlines()[line - 1][column - 1 :].startswith("eight")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1, 2]\nb: *x", "aliases"),
        ("a: 1\na: 2", "twice"),
        ("a: !!python/object:os.system x", "tags"),
        ("a: [1, 2", "is not YAML"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("[" * 100_000, "nested deeper"),
        ("a: " + "{a: " * 50_000, "nested deeper"),
        ("{a: " * 60 + "1" + "}" * 60, "nested deeper"),
        ("- 1\n" * 150_000, "more than 100,000 values"),
        ("- just a list", "is not a scenario"),
        ("", "is not a scenario"),
        ("? [complex, key]\n: value", "a key must be plain text"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_hostile_yaml_is_refused_at_once(text: str, said: str) -> None:
    started = time.monotonic()
    (found,) = problems(text)
    assert said in found
    assert time.monotonic() - started < 5, "a bomb must be refused, not survived"


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(50_000_000_000)
    with pytest.raises(ScenarioError, match="is larger than 1,000,000 bytes"):
        load(huge)


def test_not_utf8_and_missing_and_unreadable(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 1\ntitle: Caf\xe9".encode("latin-1"))
    with pytest.raises(ScenarioError, match=r"latin.yaml:2:1 is not UTF-8"):
        load(latin)
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="Did you mean"):
        find_files([tmp_path / "latn.yaml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no scenario files"):
        find_files([tmp_path / "empty"])


def test_yaml_follows_the_core_schema_of_1_2() -> None:
    text = "on: no\noff: yes\nday: 2026-03-02\ntime: 12:30:00\nint: 0o17\nhex: 0x1F\nf: 1e3\nn: ~\nempty:\nt: true\nq: 'true'\nv: 1.2.3\nu: 1_000"
    assert parse(text) == {
        "on": "no", "off": "yes", "day": "2026-03-02", "time": "12:30:00", "int": 15, "hex": 31, "f": 1000.0,
        "n": None, "empty": None, "t": True, "q": "true", "v": "1.2.3", "u": "1_000",
    }  # fmt: skip


def test_names_of_scenarios_are_unique(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(RECORDS.read_text())
    with pytest.raises(ScenarioError, match="is taken by"):
        load_all([tmp_path])


def test_bulk_rows_come_from_a_file_inside_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: people.json\n"))
    (tmp_path / "people.json").write_text(
        '{"patients": [{"id": "P-900", "name": "Al Day", "born": "1990-01-01"}]}'
    )
    from riskbox.sandbox.batch.plan import cases

    (case, *_) = cases([load(path)])
    assert {"P-104", "P-900"} <= set(case.rows["clinic"]["patients"])
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: ../people.json\n"))
    with pytest.raises(ScenarioError, match="outside the scenario's folder"):
        load(path)
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: gone.json\n"))
    with pytest.raises(ScenarioError, match=r"world.clinic.rows: 'gone.json' cannot be read"):
        load(path)


def test_generated_rows_are_part_of_the_case_and_seeded(tmp_path: Path) -> None:
    from riskbox.sandbox.batch.plan import cases

    def hashes(seed: int) -> list[str]:
        text = edited("  clinic:\n", f"  clinic:\n    generate: {{seed: {seed}, patients: 30}}\n")
        return [case.hash for case in cases([loads(text, tmp_path / "s.yaml")])]

    assert hashes(1) == hashes(1)
    assert hashes(1) != hashes(2)


def test_the_committed_schema_is_current() -> None:
    assert (ROOT / "scenarios" / "schema.json").read_text() == schema_text(), (
        "run: riskbox schema > scenarios/schema.json"
    )


def test_the_schema_accepts_the_example_and_describes_every_key() -> None:
    import json

    from jsonschema import Draft202012Validator

    schema = json.loads(schema_text())
    assert not list(Draft202012Validator(schema).iter_errors(parse(RECORDS.read_text())))
    for name, model in {**schema["$defs"], "Scenario": schema}.items():
        for key, value in model.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key} says nothing about itself"


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_text_loads_or_is_a_scenario_error(text: str) -> None:
    try:
        loads(text, "s.yaml")
    except ScenarioError as error:
        assert error.problems


KEYS = [
    "title",
    "domain",
    "agent",
    "world",
    "personas",
    "variants",
    "goals",
    "risks",
    "references",
    "limits",
    "inject",
    "cases",
    "waives",
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KEYS), values)
def test_any_value_in_any_place_loads_or_is_a_scenario_error(key: str, value: object) -> None:
    import yaml

    fields = parse(RECORDS.read_text())
    fields[key] = value
    try:
        loads(yaml.safe_dump(fields, allow_unicode=True), "s.yaml")
    except ScenarioError as error:
        assert all(str(one) for one in error.problems)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_marks_know_where_every_value_stands(data: st.DataObject) -> None:
    text = RECORDS.read_text()
    places = marks(text)
    lines = text.splitlines()
    path = data.draw(st.sampled_from(sorted((one for one in places if "~" in one), key=str)))
    line, column = places[path]
    assert lines[line - 1][column - 1 :].lstrip("'\"").startswith(str(path[-1]))
