"""What is taken out of texts, what stays, and what a name is stored as."""

from __future__ import annotations

import pytest

from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.words import secrets
from riskbox.sandbox.words.secrets import expanded, redact, redacted_words, without_own, without_own_json

KEY = "-".join(("sk", "proj", "a1B2c3D4e5F6g7H8i9"))
JWT = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N"))
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redis://:hunter2@host:6380/0", "redis://:***@host:6380/0"),
        ("https://me:p%40ss@host/act", "https://me:***@host/act"),
        ("service:http://h/act?token=abc&v=1", "service:http://h/act?token=***&v=1"),
        ("http://h/act?v=1&api_key=abc#x", "http://h/act?v=1&api_key=***#x"),
        ("http://h/act?X-Amz-Signature=abc", "http://h/act?X-Amz-Signature=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"Authorization": "Basic dXNlcjpwYXNz"}', '{"Authorization": "Basic ***"}'),
        ("curl -H 'x-api-key: abc'", "curl -H 'x-api-key: ***'"),
        (f"the key {KEY} is wrong", "the key *** is wrong"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "***"),
        ("ghp_" + "a" * 36, "***"),
        ("xoxb-" + "1234567890-abc", "***"),
        (JWT, "***"),
        (f"a {PEM} b", "a *** b"),
        ("process:bot --api-key abc --fast", "process:bot --api-key *** --fast"),
        ("process:bot --api-key='a b' --fast", "process:bot --api-key=*** --fast"),
        ("process:env PASSWORD=x OPENAI_API_KEY=y bot", "process:env PASSWORD=*** OPENAI_API_KEY=*** bot"),
        ("mcp:bot --token ${TOKEN} {message}", "mcp:bot --token ${TOKEN} {message}"),
        ("service:https://me:${PASSWORD}@host/act?key=${KEY}", "service:https://me:${PASSWORD}@host/act?key=${KEY}"),
        ("riskbox run --max-tokens 4096 --budget-tokens 100", "riskbox run --max-tokens 4096 --budget-tokens 100"),
        ("env AWS_SECRET_ACCESS_KEY=x API_KEY_2=y bot", "env AWS_SECRET_ACCESS_KEY=*** API_KEY_2=*** bot"),
        ("bot --tokenizer=standard-english --password-policy=permissive", "bot --tokenizer=standard-english --password-policy=permissive"),
        ("The token was wrong, and the key is under the mat.", "The token was wrong, and the key is under the mat."),
        ("http://127.0.0.1:8000/v1#model", "http://127.0.0.1:8000/v1#model"),
        ("task-force-of-the-whole-department", "task-force-of-the-whole-department"),
    ],
)  # fmt: skip
def test_known_shapes(text: str, told: str) -> None:
    assert redact(text) == told
    assert redact(told) == told, "it is stable"


def test_a_flag_and_its_secret_may_be_two_words() -> None:
    words = ["riskbox", "run", "--api-key", "abc", "--token", "${T}", "--seeds", "3", "--password", "--quiet"]
    assert redacted_words(words) == (
        "riskbox", "run", "--api-key", "***", "--token", "${T}", "--seeds", "3", "--password", "--quiet"
    )  # fmt: skip


def test_the_secrets_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKBOX_AGENT_TOKEN", "tulip-quarry")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:marble-lantern@db/x")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "certainly not")
    monkeypatch.setenv("SHORT_SECRET", "12345678")
    monkeypatch.setenv("ODD_PASSWORD", 'a "quoted" ü')
    assert without_own("tulip-quarry and marble-lantern") == "*** and ***"
    assert without_own("certainly not 12345678") == "certainly not 12345678"
    assert without_own_json('["a \\"quoted\\" ü", "a \\"quoted\\" \\u00fc"]') == '["***", "***"]'
    assert without_own(KEY) == KEY, "what is said is not changed by its shape"
    monkeypatch.setattr(secrets, "_known", set())
    secrets.known(["lime-harbour", "short"])
    assert without_own("lime-harbour, short") == "***, short"


def test_names_are_stored_without_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_names", {})
    monkeypatch.setattr(secrets, "_known", set())
    stored = secrets.stored_name("service:http://h/act?token=abc")
    assert stored == "service:http://h/act?token=***"
    assert secrets.revealed(stored) == "service:http://h/act?token=abc" and not secrets.is_hidden(stored)
    assert secrets.stored_name("idle") == secrets.revealed("idle") == "idle"
    assert secrets.is_hidden("service:http://h/act?token=***&other")


def test_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAT_KEY", "a b")
    assert expanded("--key=${SEAT_KEY} $HOME $${SEAT_KEY}", "process") == "--key=a b $HOME ${SEAT_KEY}"
    with pytest.raises(PluginError, match="process: there is no environment variable NOT_THERE"):
        expanded("${NOT_THERE}", "process")
