"""`--webhook URL`: tell other programs that a run has ended, and how."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.words.secrets import HIDDEN, known, redact

SECRET = "RISKBOX_WEBHOOK_SECRET"
"""The variable of the environment that holds the key of signatures."""
SECONDS = 10.0
"""Seconds that a server has to answer."""
PAUSES = (1.0, 4.0)
"""Seconds before the second attempt and before the third, which is the last."""


def checked_url(url: str) -> str:
    """A URL that can be posted to; what may be a secret in it is hidden from now on.

    Raises:
        InputError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("run: webhook: write a URL that begins with http:// or https://.")
    known([url, parts.path.lstrip("/"), parts.query])
    return url


def otel_endpoint(url: str) -> str:
    """The URL of a collector to which traces are posted; empty stays empty.

    Raises:
        InputError: it is no URL.
    """
    if url and not url.startswith(("http://", "https://")):
        raise InputError(f"run: otel {url}: write a URL that begins with http:// or https://.")
    return url if not url or urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1/traces"


def shown_url(url: str) -> str:
    """The server of a URL: path and query of a webhook may be its secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{HIDDEN}"


def without_urls(words: Iterable[str]) -> list[str]:
    """A command line whose webhooks are named by their servers alone."""
    found: list[str] = []
    for word in words:
        if found and found[-1] == "--webhook":
            word = shown_url(word)
        elif word.startswith("--webhook="):
            word = f"--webhook={shown_url(word.partition('=')[2])}"
        found.append(word)
    return found


def post_all(urls: Sequence[str], body: dict[str, Any]) -> None:
    """Post a record to each URL. One that fails is a line on standard error, and nothing more."""
    data = json.dumps(body).encode()
    for url in urls:
        if problem := _posted(url, data):
            print(f"riskbox: webhook {shown_url(url)}: {redact(problem)}", file=sys.stderr)


def _posted(url: str, data: bytes) -> str:
    """Post once, and again after some failures; what was wrong the last time, empty if nothing was."""
    headers = {"Content-Type": "application/json", "User-Agent": "riskbox"}
    if key := os.environ.get(SECRET):
        signed = hmac.new(key.encode(), data, hashlib.sha256).hexdigest()
        headers["X-Riskbox-Signature"] = f"sha256={signed}"
    problem = ""
    for pause in (*PAUSES, None):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"it answered {error.code}."
            if error.code < 500 and error.code != 429:
                return problem
        except (OSError, ValueError) as error:
            problem = f"it cannot be reached: {getattr(error, 'reason', error)}."
        if pause is not None:
            time.sleep(pause)
    return problem
