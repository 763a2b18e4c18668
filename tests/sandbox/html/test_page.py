"""Pages in a real browser: the numbers of the terminal, filters and sorting, keyboard, print, and hostile text that stays text."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright
from pypdf import PdfReader

from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.escape import inert
from riskbox.sandbox.html import page as pages
from riskbox.sandbox.reporting.figures import bounds, interval
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, Spec
from riskbox.sandbox.words.taxonomy import categories
from tests.command import invoke

Play = Callable[..., Played]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

XSS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1' autofocus onfocus='window.pwned=1",
    "<iframe src=https://evil.example></iframe>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "<a href=javascript:window.pwned=1>click</a>",
    "<!-- <![CDATA[ ]]> -->",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "&lt;script&gt;&#x3c;b&#x3e;",
    "</td></tr></table></details><h1>mine</h1>",
)
"""Text that would be markup, code or a template if anybody let it."""


GATES = """\
gate:
  - {fail_if: risk_ratio > 0.01, name: <b>harm</b>, reason: We said <i>so</i>.}
"""
"""A gate that fails, of hostile names."""


def run(folder: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = invoke(*words, cwd=folder)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, records: Path) -> Path:
    """A folder with a run of three agents, the pages of it, and a comparison."""
    made = tmp_path_factory.mktemp("pages")
    agents = [word for agent in ("reference", "obeys", "idle") for word in ("--agent", agent)]
    run(made, "run", records, "--local", "--seeds", "4", "--name", "first", *agents)
    (made / "gates.yaml").write_text(GATES)
    gates = ("--gate", "gates.yaml", "--fail-if", "faults > 0.9")
    run(made, "report", "first", "--html", "report.html", "--transcripts", "4", *gates, code=1)
    run(made, "compare", "first:idle", "first:obeys", "--html", "compare.html", "--transcripts", "2")
    return made


@pytest.fixture(scope="module")
def browser(attacked: Path) -> Iterator[Browser]:
    """Chromium, from RISKBOX_TEST_CHROMIUM or the path; episodes are played before it, since its driver holds the loop."""
    path = os.environ.get("RISKBOX_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, (
        "pages are tested in Chromium: apt-get install chromium, or name one in RISKBOX_TEST_CHROMIUM"
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file; whatever it asks for besides itself, says on the console or throws fails the test."""
    contexts, trouble = [], []

    def one(path: Path, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()

        def only_the_file(route: Route) -> None:
            if route.request.url.partition("#")[0] == path.as_uri():
                route.continue_()
            else:
                trouble.append(f"asked for {route.request.url}")
                route.abort()

        context.route("**/*", only_the_file)
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri())
        return page

    yield one
    for context in contexts:
        context.close()
    assert trouble == []


Open = Callable[..., Page]


# --- the file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_a_page_allows_its_own_script_and_nothing_else(folder: Path, name: str) -> None:
    text = (folder / name).read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    hashes = [
        "sha256-" + base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()
        for one in (style, script)
    ]
    assert policy and policy[1].replace("&#39;", "'") == (
        f"default-src 'none'; style-src '{hashes[0]}'; script-src '{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"<[^>]+\s(on\w+|style)\s*=", text), "an inline handler or style"
    outside = re.sub(r'xmlns(:xlink)?="[^"]*"', "", text.replace(script, ""))
    leads = re.findall(r"<[^>]+\s(?:src|href|action)\s*=\s*[\"']?([^\"'\s>]*)", outside)
    assert leads and all(one.startswith("#") for one in leads), "something is loaded or linked"


def test_the_numbers_are_those_of_the_terminal(folder: Path, opened: Open) -> None:
    results = Results.model_validate_json(run(folder, "report", "first", "--json").stdout)
    page = opened(folder / "report.html")
    done = results.all.realised["targeted"]
    cards = page.locator(".cards strong").all_inner_texts()
    assert cards[:3] == [bounds(done[1]), bounds(done[4]), bounds(done[7])]
    assert page.locator(".cards small").first.inner_text() == f"interval {interval(done[1])}"
    rows = page.get_by_role("table", name=re.compile("^Harm by intent")).locator("tbody tr")
    for place, group in enumerate(results.groups["intent"]):
        cells = [rows.nth(place).locator("th").inner_text(), *rows.nth(place).locator("td").all_inner_texts()]
        assert cells[0] == group.name and cells[2] == bounds(group.realised["targeted"][1])
    labels = page.get_by_role("table", name=re.compile("^Episodes by label")).locator("tbody tr").first
    counts = [text.split()[0] for text in labels.locator("td").all_inner_texts()]
    assert counts == [str(results.all.labels["targeted"][one]) for one in ("risky", "unknown", "safe")]
    for count in results.categories:
        row = page.get_by_role("row", name=re.compile(f"^{re.escape(count.category.slug)} "))
        assert row.locator("td").first.inner_text().split()[0] == str(count.realised)
    for note in results.notes:
        assert page.get_by_text(note.text).count() == 1


def test_gates_are_decided_as_in_the_terminal(folder: Path, opened: Open) -> None:
    gates = ("--gate", "gates.yaml", "--fail-if", "faults > 0.9")
    told = json.loads(run(folder, "report", "first", "--json", *gates, code=1).stdout)["gates"]
    assert [one["failed"] for one in told] == [False, True, False]
    page = opened(folder / "report.html")
    assert page.get_by_role("link", name="Gates").count() == 1
    assert page.get_by_text("1 of 3 gates failed.").count() == 1
    rows = page.get_by_role("table", name=re.compile("^Gates")).locator("tbody tr")
    assert rows.count() == len(told)
    for place, one in enumerate(told):
        row = rows.nth(place).inner_text()
        assert row.startswith(one["name"])
        assert ("failed" in row.split()) is one["failed"] and ("passed" in row.split()) is not one["failed"]
        assert one["told"] in row and one["reason"] in row and one["condition"] in row
    run(folder, "report", "first", "--html", "ungated.html", "--transcripts", "0")
    assert opened(folder / "ungated.html").get_by_role("heading", name="Gates").count() == 0


def test_every_catalogue_has_all_its_entries(folder: Path, opened: Open) -> None:
    page = opened(folder / "report.html")
    for name, entries in (
        ("AILuminate", 12),
        ("Agentic", 10),
        ("LLM Applications", 10),
        ("NIST AI 600-1", 12),
    ):
        table = page.get_by_role("table", name=re.compile(name))
        assert table.locator("tbody tr").count() == entries
    privacy = page.get_by_role("row", name=re.compile("^2.4 Data Privacy"))
    assert "legal.privacy" in privacy.inner_text()
    assert "not asked" in page.get_by_role("row", name=re.compile("^2.1 CBRN")).inner_text()
    known = {f"2.{place}" for place in range(1, 13)}
    assert {code for one in categories().values() for code in one.nist} <= known


def test_findings_lead_to_the_lines_they_rest_on_and_back(folder: Path, opened: Open) -> None:
    page = opened(folder / "report.html")
    first = page.locator("details.episode").first
    link = first.locator(".findings .note.realised a").first
    index = link.inner_text()
    link.click()
    line = page.locator(":target")
    assert line.locator(".index").inner_text() == index
    assert "evidence" in (line.get_attribute("class") or "")
    first.locator(".event .note.realised").first.click()
    page.locator(".note.realised:target").wait_for()


def test_an_episode_of_the_table_opens_its_transcript(folder: Path, opened: Open) -> None:
    page = opened(folder / "report.html")
    last = page.locator("details.episode").last
    assert last.get_attribute("open") is None
    id = last.get_attribute("id")
    page.locator(f'a[href="#{id}"]').first.click()
    last.locator(".talk").wait_for()  # the browser tells of the new address only after the click
    assert last.get_attribute("open") is not None


# --- long tables ------------------------------------------------------------------------------------------------


def table(page: Page, name: str) -> Any:
    return page.locator(f'table[data-paged="{name}"]').first


def column(page: Page, name: str, place: int) -> list[str]:
    found: list[str] = table(page, name).locator(f"tbody tr > :nth-child({place})").all_inner_texts()
    return found


def test_long_tables_are_paged_sorted_and_filtered(folder: Path, opened: Open) -> None:
    listed = json.loads(run(folder, "list", "episodes", "--run", "first", "--limit", "0", "--json").stdout)
    page = opened(folder / "report.html")
    tools = page.locator("#episodes-0 ~ .tools")
    status = tools.get_by_role("status")
    assert status.inner_text() == f"1–50 of {len(listed)}"
    assert len(column(page, "episodes", 1)) == 50
    tools.get_by_role("button", name="Next page of episodes").click()
    assert len(column(page, "episodes", 1)) == len(listed) - 50
    assert tools.get_by_role("button", name="Next page of episodes").is_disabled()

    calls = table(page, "episodes").get_by_role("button", name="calls")
    calls.click()
    calls.click()
    found = [int(text) for text in column(page, "episodes", 12)]
    assert found == sorted(found, reverse=True) and found[0] == max(one["calls"] for one in listed)
    assert table(page, "episodes").locator('th[aria-sort="descending"]').inner_text().startswith("calls")

    tools.get_by_label("intent").select_option("malicious")
    tools.get_by_label("find in episodes").fill("obeys")
    fitting = [one for one in listed if one["intent"] == "malicious" and one["agent"] == "obeys"]
    assert status.inner_text() == f"1–{len(fitting)} of {len(fitting)} (of {len(listed)})"
    assert set(column(page, "episodes", 7)) == {"malicious"}
    tools.get_by_label("find in episodes").fill("no such thing")
    assert status.inner_text() == f"none of {len(listed)}"


def test_what_changed_leads_to_both_transcripts_regressions_first(folder: Path, opened: Open) -> None:
    flips = json.loads(run(folder, "compare", "first:idle", "first:obeys", "--json").stdout)["flips"]
    page = opened(folder / "compare.html")
    rows = table(page, "pairs").locator("tbody tr")
    first = flips[0]
    assert (first["before"], first["after"]) in {("safe", "risky"), ("unknown", "risky"), ("safe", "unknown")}
    assert rows.first.inner_text().startswith(first["case"])
    for side in ("a", "b"):
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = false))")
        link = rows.first.get_by_role("link", name=first[side][:8])
        anchor = (link.get_attribute("href") or "")[1:]
        link.click()
        # a click returns before the browser has told the page of its new address
        page.locator(f"details[id='{anchor}'][open]").wait_for()
        shown = page.locator(f"details[id='{anchor}']")
        assert first["case"] in shown.inner_text() and first[side] in shown.inner_text()
    linked = table(page, "pairs").locator("a").count()
    assert linked == 2 * 2 == 2 * page.locator("details.episode").count()
    assert len(flips) > 2, "not one flip is without a transcript"


def test_without_its_script_a_page_is_whole(folder: Path, opened: Open) -> None:
    page = opened(folder / "report.html", java_script_enabled=False)
    text = (folder / "report.html").read_text("utf-8")
    assert page.locator('table[data-paged="episodes"] tbody tr').count() == text.count(
        '<tr><th scope="row"><a href="#episode-'
    ) + len(re.findall(r'<tr><th scope="row">[0-9a-f]{8}<td>', text))
    assert page.locator("table button").count() == 0


# --- for everybody ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_axe_has_nothing_to_say(folder: Path, opened: Open, name: str, scheme: str) -> None:
    page = opened(folder / name, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_a_narrow_page_does_not_scroll_sideways(
    folder: Path, attacked: Path, opened: Open, name: str
) -> None:
    for path in (folder, attacked):
        page = opened(path / name, viewport={"width": 380, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_a_keyboard_reaches_everything(folder: Path, opened: Open) -> None:
    page = opened(folder / "report.html", color_scheme="light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    theme = page.get_by_role("button", name="dark theme")
    theme.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert page.get_by_role("button", name="light theme").is_visible()

    table(page, "episodes").get_by_role("button", name="seed").focus()
    page.keyboard.press("Space")
    assert table(page, "episodes").locator('th[aria-sort="ascending"]').inner_text().startswith("seed")
    last = page.locator("details.episode").last
    last.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert last.get_attribute("open") is not None


def test_plots_follow_the_theme_and_say_what_they_show(folder: Path, opened: Open) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page = opened(folder / "report.html", color_scheme=scheme)
        plot = page.locator("figure svg").first
        assert (plot.get_attribute("aria-label") or "").startswith("Harm done by group")
        colours.append(plot.evaluate("(svg) => getComputedStyle(svg.querySelector('text')).fill"))
    assert colours == ["rgb(27, 31, 36)", "rgb(230, 233, 237)"]


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_the_print_has_every_section(folder: Path, opened: Open, name: str) -> None:
    page = opened(folder / name, color_scheme="dark")
    headings = [text for text in page.locator("h2").all_inner_texts() if text]
    printed = " ".join(one.extract_text() for one in PdfReader(io.BytesIO(page.pdf())).pages)
    # ligatures are taken apart
    words = re.sub(r"\s+", "", normalize("NFKC", printed))
    assert headings and [one for one in headings if re.sub(r"\s+", "", one) not in words] == []
    # what was folded is unfolded, and folded again
    assert "DanaWuhere" in words
    assert page.locator("details.episode").last.get_attribute("open") is None


# --- hostile text -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacked(
    tmp_path_factory: pytest.TempPathFactory, by_id: dict[str, Case], played: Play, hostile: tuple[str, ...]
) -> Path:
    """A folder with a run in which every text that a stranger can write is an attack, and its pages."""
    made = tmp_path_factory.mktemp("attacked")
    # no case can hold half a character
    corpus = (*XSS, *(text for text in hostile if not re.search("[\ud800-\udfff]", text)))
    packed, cases = [], []
    for agent in ("reference:0", "reference:1"):
        for place, text in enumerate(corpus):
            case, one = _poisoned(by_id["neighbour"], played(by_id["neighbour"], agent), text, place, agent)
            row = EpisodeRow.of(one).model_copy(
                update={
                    "tools": text,
                    "model_calls": 1,
                    "tokens": 900 + place,
                    "cost": place / 100,
                    "reason": text,
                }
            )
            packed.append(Packed(row, record.pack(one)))
            cases.append(case)
    manifest = Manifest(
        run="20260302-090000-0001",
        name=XSS[0],
        created=XSS[1],
        state="done",
        planned=len(packed),
        cases={f"{text}{place}": text for place, text in enumerate(corpus)},
        agents=corpus,
        seeds=(1,),
        evaluators={XSS[3]: XSS[4]},
        settings={XSS[0]: list(corpus)},
        versions={XSS[5]: XSS[6]},
        platform=XSS[7],
        command=("riskbox", "run", *corpus),
    )
    with open_store(f"sqlite:///{made}/riskbox.db", create=True) as store:
        store.begin(manifest, cases, [])
        store.write(manifest.run, packed)
        store.finish(manifest.run, "done")
    everything = str(len(packed))
    run(
        made, "report", "--html", "report.html", "--transcripts", everything, "--by", "agent,scenario,variant"
    )
    sides = f"{XSS[0]}|0", f"{XSS[0]}|1"
    run(
        made,
        "compare",
        *(f"latest:{one}" for one in sides),
        "--html",
        "compare.html",
        "--transcripts",
        everything,
    )
    return made


def _poisoned(case: Case, played: Played, text: str, place: int, agent: str) -> tuple[Case, Played]:
    """A case and an episode in which all that can be text is hostile."""
    scenario = case.scenario.model_copy(
        update={
            "title": text,
            "setting": text,
            "agent": case.scenario.agent.model_copy(update={"name": text, "policy": text}),
        }
    )
    fields = {
        name: getattr(case, name) for name in type(case).model_fields if name not in ("hash", "scenario")
    }
    poisoned = Case.sealed(**fields | {"scenario": scenario, "id": f"{text}/{place}"})
    episode = played.episode
    changes: dict[str, dict[str, Any]] = {
        "said": {"text": text},
        "called": {"tool": text, "arguments": {text: text}},
        "returned": {"tool": text, "result": {text: [text]}},
        "noted": {"text": text},
        "ended": {"detail": text},
    }
    spec = Spec.of(poisoned.hash, Cast(agent=agent), place)
    ref = episode.case.model_copy(
        update={"id": poisoned.id, "hash": poisoned.hash, "scenario": text, "family": text, "domain": text}
    )
    assessments = tuple(
        one.model_copy(
            update={
                "findings": tuple(
                    found.model_copy(update={"risk": text, "reason": text, "category": (text,)})
                    for found in one.findings
                ),
                "verdicts": tuple(found.model_copy(update={"reason": text}) for found in one.verdicts),
                "notes": (text,),
                "settings": {text: text},
                "fault": text,
            }
        )
        for one in played.assessments
    )
    return poisoned, Played(
        episode=episode.model_copy(
            update={
                "id": spec.id,
                "run": "20260302-090000-0001",
                "seed": 1,
                "case": ref,
                # the same names on both sides, so that pairs are found
                "cast": episode.cast.model_copy(update={"agent": f"{XSS[0]}|{agent[-1]}", "tools": text}),
                "events": tuple(
                    event.model_copy(update=changes.get(event.kind, {})) for event in episode.events
                ),
            }
        ),
        assessments=assessments,
    )


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
def test_hostile_text_is_shown_and_does_nothing(attacked: Path, opened: Open, name: str) -> None:
    page = opened(attacked / name)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.mouse.move(400, 400)
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed, base, link, form").count() == 0
    assert page.locator("h1").count() == 1
    assert page.url == (attacked / name).as_uri()
    shown = page.locator("body").evaluate("(body) => body.textContent")
    for text in XSS:
        assert shown.count(inert(text)) > 3, text
    assert "49" not in page.locator(".speaker").all_inner_texts()
    # what moves the cursor, reverses text or hides is named
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", shown
    )
    assert "<U+202E>" in shown


def test_markup_that_slipped_through_would_still_do_nothing(
    folder: Path, tmp_path: Path, browser: Browser
) -> None:
    """The second line: even unescaped, the page's own policy keeps it from running and from asking for anything."""
    text = (folder / "report.html").read_text("utf-8")
    path = tmp_path / "report.html"
    path.write_text(
        text.replace("<main", f"{''.join(XSS[:6])}<img src=https://evil.example/x.png><main"), "utf-8"
    )
    page = browser.new_page()
    got: list[str] = []
    stopped: list[tuple[str, str | None]] = []
    page.on("requestfinished", lambda request: got.append(request.url))
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.goto(path.as_uri())
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() > 0, "nothing slipped through, so nothing was tested"
    assert got == [path.as_uri()]
    assert ("https://evil.example/x.png", "csp") in stopped and {why for _, why in stopped} == {"csp"}
    page.close()


# --- the command ------------------------------------------------------------------------------------------------


def test_the_page_says_how_to_write_it_again_without_a_password() -> None:
    from riskbox.sandbox.cli.page import again

    url = "redis://user:secret@host:6379/0"
    assert again("report", ["latest", "--store", url], url) == [
        "riskbox", "report", "latest", "--store", "redis://host:6379/0",
    ]  # fmt: skip
    assert again("report", [f"--store={url}"], url)[-1] == "--store=redis://host:6379/0"


def test_only_the_chosen_are_on_the_page(folder: Path, opened: Open) -> None:
    run(folder, "report", "first", "--where", "agent=idle", "--html", "idle.html", "--transcripts", "0")
    page = opened(folder / "idle.html")
    assert set(column(page, "episodes", 8)) == {"idle"}
    assert page.get_by_text("Filter: agent=idle.").count() == 1
    assert page.locator("details.episode").count() == 0
    assert page.locator(".cards strong").first.inner_text() != "–"


def test_ways_of_answering_tools_are_shown_apart(attacked: Path, tmp_path: Path, opened: Open) -> None:
    with open_store(f"sqlite:///{attacked}/riskbox.db", create=False) as store:
        manifest = store.run()
        rows = list(store.rows(manifest.run))[:12]
        blobs = [record.pack(store.episode(manifest.run, row.id)) for row in rows]
        cases = [store.case(row.case_hash) for row in rows]
    ways = ("neutral", "adversarial", "")
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=True) as store:
        store.begin(manifest, cases, [])
        store.write(
            manifest.run,
            [
                Packed(row.model_copy(update={"emulation": ways[place % 3]}), blob)
                for place, (row, blob) in enumerate(zip(rows, blobs, strict=True))
            ],
        )
    run(tmp_path, "report", "--html", "apart.html")
    page = opened(tmp_path / "apart.html")
    assert [one.partition(":")[0] for one in page.locator("h2.part").all_inner_texts()] == [
        "Tools answered by code alone",
        "Tools answered by a model, neutrally",
        "Tools answered by a model that leans towards harm",
    ]
    for place in range(3):
        assert page.locator(f"#episodes-{place} ~ .tools").get_by_role("status").inner_text() == "1–4 of 4"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_file_that_cannot_be_written_is_told(folder: Path) -> None:
    done = invoke("report", "--html", "no/such/folder.html", cwd=folder)
    assert done.returncode == 2
    assert "--html no/such/folder.html: cannot be written: No such file or directory." in done.stderr


@pytest.mark.parametrize("package", ["jinja2", "vl_convert"])
def test_a_package_that_is_missing_is_named(folder: Path, package: str) -> None:
    assert find_spec(package)
    code = (
        "import sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Gone(MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {package!r}: raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from riskbox.sandbox.cli import main\n"
        "sys.exit(main(['report', 'first', '--html', 'gone.html']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"pip install -e '{Path(__file__).parents[3]}[html]'" in done.stderr
    assert not (folder / "gone.html").exists()


def test_style_and_script_hold_no_end_tag() -> None:
    for name in ("style.css", "script.js"):
        assert "</" not in (pages.HERE / name).read_text("utf-8")
