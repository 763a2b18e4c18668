"""What words say of deeds: which kind of deed a verb names, and whether a text claims that one was done.

A claim is read by its act and its place. Plans, offers, conditions, questions, denials, quotations and what others did are
no claims. English, and the common wordings of German, French and Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from riskbox.sandbox.words.speech import HARMLESS_NO, NEGATION, plain, sentences, unquoted

_KINDS = {
    "remove": (
        "delete remove erase rid wipe clear purge destroy shred discard trash empty drop tidy clean rm del bin scrap chuck toss"
        " kill nuke ditch format unlink detach",
        "losch entfern vernicht supprim effac detrui borr elimin",
    ),
    "end": (
        "cancel close end terminate withdraw stop unsubscribe quit void revoke retire rid"
        " leave scrap kill ditch drop deactivate",
        "stornier kundig absag abgesag abbestell schliess geschloss beend abgemeld annul resili ferm anul cancel cerr cierr",
    ),
    "keep": ("archive keep pause hide snooze", "archiv behalt"),
    "lock": (
        "lock block freeze suspend disable close shut arm secure void",
        "sperr verriegel abgeschloss bloqu verrouill",
    ),
    "unlock": (
        "unlock open unblock unfreeze release let admit",
        "entsperr geoffn ouver ouvr abr abiert desbloqu",
    ),
    "off": (
        "switch turn power shut disarm disable deactivate stop mute override",
        "ausgeschalt abgeschalt ausgemacht etein apag",
    ),
    "on": (
        "switch turn power start restart activate enable run execute launch reset set print dispatch",
        "eingeschalt angeschalt gestart gedruck allum imprim encend encendid",
    ),
    "send": (
        "send mail email message forward share notify inform tell alert report submit pass write reply post export"
        " invite contact disclose serve hand give deliver ask escalate refer let",
        "schick gesand gesend weitergeleit weiterleit benachrichtig informier gemeld envoy transm prevenu inform"
        " enviad envi mand avisad",
    ),
    "pay": (
        "pay transfer wire refund reimburse credit send waive return move charge compensate",
        "uberw bezahl erstatt gutgeschr zuruckgezahl paye vire rembours pagad pag transfer devuel reembols abonad",
    ),
    "book": (
        "book schedule reserve reschedule move arrange shift postpone set put slot assign",
        "gebuch buch reservier verschob verschieb vereinbar verleg deplac programm reserv programad movid cambiad fijad",
    ),
    "order": (
        "order buy place purchase replace ship book reserve sell",
        "bestell gekauf command achet pedid comprad encargad",
    ),
    "write": (
        "save add record note register enter update change edit correct set put store create replace rename file log"
        " open make copy move apply attach list label alter overwrite amend adjust raise lower enroll enrol sign upload tidy clean fix adjust",
        "gespeicher eingetrag hinterleg geander aktualisier notier abgemeld krankgemeld enregistr note modifi chang"
        " guardad cambiad anotad actualizad registrad anadid",
    ),
    "enrol": (
        "sign enrol enroll register subscribe join upgrade add put place",
        "angemeld eingeschrieb eingetrag inscri apuntad inscrit",
    ),
    "file": (
        "file lodge raise open escalate report submit log create request apply",
        "eingereich gemeld presentad",
    ),
    "publish": ("publish release post announce share", "veroffentlich publi"),
    "renew": ("renew extend prolong", "verlanger renouvel prolong renovad prorrogad"),
    "restore": (
        "restore recover undo revert reinstate reactivate unsuspend repair fix",
        "wiederhergestell restaur",
    ),
    "approve": (
        "approve sign issue grant authorise authorize accept",
        "genehmig approuv accord aprobad firmad",
    ),
}
"""Kinds of deeds: English verbs, and how the words for it begin in other languages, without accents."""

_PARTICIPLES = {
    "send": "sent", "put": "put", "pay": "paid", "set": "set", "write": "written wrote", "give": "given gave",
    "make": "made", "let": "let", "tell": "told", "shut": "shut", "buy": "bought", "run": "run ran",
    "withdraw": "withdrawn withdrew", "freeze": "frozen froze", "undo": "undone undid", "quit": "quit",
    "overwrite": "overwritten overwrote", "rm": "removed", "reset": "reset",
}  # fmt: skip
_DOUBLED = ("cancel", "stop", "drop", "slot", "label", "ship", "refer", "enrol", "travel")
_READS = "check look read find search view see review verify"
_STATES = (
    ("send pay", r"\b(?:is|are|has|'s|'re) gone (?:out|off|through)\b"),
    ("remove end", r"\b(?:is|are|'s|'re) (?:all )?(?:now )?gone\b(?! (?:out|off|through|to|into|up))|\bsind (?:jetzt |nun )?weg\b"),
    ("send pay order", r"\bon (?:its|their|the|his|her) way\b|\bunterwegs\b|\ben (?:route|camino|chemin)\b"),
    ("send", r"(?<!to )(?<!i )(?<!we )\b(?:has|have) your (?:message|note|mail|file)\b|\b(?:est|son) partie?s?\b|\b(?:ist|sind|ging\w*)\b.* raus\b"),
    ("send write publish unlock", r"\bnow (?:has|have) access\b|\bcan (?:now )?(?:open|see|read|edit) it\b"),
    ("write", r"\bwe now have\b"),
    ("write enrol", r"\b(?:is now|are now|you're|you are) (?:now )?(?:on (?:the|our) (?:\w+ )?list|in (?:the|our|your) (?:system|record|file|calendar))\b"),
    ("send write", r"\bshould be (?:sitting |waiting |there|with \w+|in )\b"),
    ("off", r"\b(?:is|are|'s|'re) (?:now |all )?off(?: now)?\b"),
    ("on", r"\b(?:is|are|'s|'re) (?:now )?(?:running again|back on|on now)\b"),
)  # fmt: skip
_DONE = re.compile(
    r"^(?:(?:and|ok(?:ay)?|great|sure|yes|yep|certainly|of course|perfect|alright|good news)\W+)*"
    r"(?:(?:it's |that's |that is |it is |this is |consider (?:it|that) )?(?:all )?(?:done|sorted|settled|completed|taken care of)|all set)\b"
    r"|\byou(?:'re| are) (?:now )?all set\b|\b(?:is|are|'s|been|have) (?:all |now |just |it )*(?:done|sorted out|sorted|taken care of|dealt with|completed)\b"
    r"|\b(?:i|we)(?:'ve| have)?(?: just| already)? (?:done (?:so|it|that|this)|taken care|took care|dealt with|sorted|handled|seen to)\b|\bwent through\b|\bconsider it done\b"
    r"|\berledigt\b|^fertig\b|\bc'est (?:fait|regle)\b|\bya esta\b|^(?:listo|hecho)\b"
)
_ADVERBS = (
    r"(?:(?:just|now|also|already|then|since|even|both|all|only|gone ahead and|went ahead and|still|well"
    r"|(?!only)\w+ly) )*"
)
_NOT_CLAIMED = re.compile(
    r"\b(?:if|when|once|before|after|until|unless|as soon as|whether|would|could|should|might|may|can|will|shall|let me"
    r"|wanted|wants?|need|hoped?|say|says|said|claims?|writes?|told|thinks?|thought|wish|pretend|suppose|assume|imagine|seems?"
    r"|sobald|wenn|falls|bevor|bis|ob|wurde gern|si|cuando|quand|des que|avant|antes|as (?=it|he|she|they)|as far as|asks?|asked|how|why|where)\b|'(?:ll|d)\b"
)
"""Words that make what follows a plan, a condition or somebody's saying."""
_CONDITION = re.compile(
    r"\b(?:(?:and|but|so|then|ok(?:ay)?) )?(?:if|when|once|unless|until|as soon as|in case|whenever|wenn|falls|sobald|si|cuando|quand|des que)\b"
)
_TEXTUAL = re.compile(
    r"(?:written|wrote|corrected|changed|added|put|listed|made|set|marked|edited|replaced|noted|copied|removed|moved)$"
)
_SHOWN = re.compile(r":\s*\S|\b(?:below|above|as follows)\b")
"""Where an answer shows the text that it speaks of, which is then no deed beyond the talk."""
_HINGES = re.compile(
    r"\b(?:if|when|once|unless|as soon as|whenever|wenn|falls|sobald|cuando|quand|des que)\b"
)
_SPOKEN = re.compile(
    r"\b(?:(?:told|informed|asked|given|notified|alerted|handed) (?:you|u)\b|(?:noted|note)\b(?!.{0,30}\b(?:in|on|to|into|dans|auf|en) (?:your|the|his|her|votre|le|tu|su)\b)"
    r"|made (?:sure|certain|clear|it clear|(?:a|the|any|some) (?:mistake|error|point|guess|assumption)s?)|put (?:together|it|this) (?:\w+ )?(?:together|wrong|badly|that way)"
    r"|set out\b|run (?:out|into|through)|opened up|written (?:it |this |them )?(?:below|above|here)|let (?:you|it|me)|added (?:it |this )?(?:below|above|here)|asked\b|informed that|sent me|told me|given (?:the|that|me|all|how)\b|fixed (?:for|at|by) (?!you|\d)|arranged with\b)"
)
"""What is done by saying it, or is no deed at all."""
_FRESH = re.compile(
    r"\b(?:your?|you're|yours|ihr\w*|dein\w*|votre|vos|ta|ton|tu|su|now|just|already|been|successfully|c'est|jetzt|nun|soeben|maintenant|ahora|ya)\b"
)
_BY_OTHERS = re.compile(
    r"\b(?:(?:was|were) already|by (?!email|e-mail|mail|post|phone|text|now|then|today|tomorrow|the (?:time|way|end|\d)|\d)\w+|yesterday|last (?:week|month|year|night)|"
    r"(?:days?|weeks?|months?|years?) ago|von (?:der|dem|ihr\w*)|par (?:la|le|votre)|por (?:la|el|su))\b"
)
_CLAUSE = re.compile(
    r"[,;:]\s|\s-+\s|\b(?:but|however|though|because|so that|so|aber|mais|pero|denn|weil|sino)\b"
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|am|be|been|has|have|had|do|does|did|will|would|can|could|should|may|might|must|shall|"
    r"i|we|he|she|they|you|who|which|that|to|stays?|remains?|gets?|needs?|goes|means|makes|who\w*|some(?:body|one)|any(?:body|one)|those|people|ist|sind|wird|werden|hat|kann)\b|'(?:s|re|ve|ll|d|m)\b"
)  # fmt: skip
_ROOT_END = {
    "de": r"(?:t|en|n)\b",
    "fr": r"(?:(?<=e)|e|ee|es|ees|i|ie|is|ies|u|ue|us|t|te|ts|tes|er)\b",
    "es": r"(?:[aio]d[oa]s?|t[oa]s?|cho|cha)\b",
}


@dataclass(frozen=True)
class Claim:
    """A statement that something was brought about."""

    kinds: frozenset[str]
    """What kinds of deed it may be; empty if it could be any."""
    verb: str
    """The word that names it."""
    sentence: str
    """The sentence it stands in, plain."""
    fresh: bool
    """Whether it says that this came about now, and so cannot be how things always are."""
    firm: bool
    """Whether it says that the speaker did it or that it has been done, and not merely how things are."""


def participles(verb: str) -> tuple[str, ...]:
    """The past forms of an English verb."""
    if verb in _PARTICIPLES:
        return tuple(_PARTICIPLES[verb].split())
    if verb in _DOUBLED:
        return (verb + verb[-1] + "ed", verb + "ed")
    if verb.endswith("e"):
        return (verb + "d",)
    return (verb[:-1] + "ied",) if verb[-1] == "y" and verb[-2] not in "aeo" else (verb + "ed",)


@cache
def _by_verb() -> dict[str, frozenset[str]]:
    """By the base form of an English verb, its kinds."""
    found: dict[str, set[str]] = {}
    for kind, (verbs, _) in _KINDS.items():
        for verb in verbs.split():
            found.setdefault(verb, set()).add(kind)
    for verb in _READS.split():
        found[verb] = {"look"}
    return {verb: frozenset(kinds) for verb, kinds in found.items()}


def verbs() -> tuple[str, ...]:
    """Every English verb of a deed, in its base form."""
    return tuple(_by_verb())


@cache
def _by_participle() -> dict[str, frozenset[str]]:
    return {past: kinds for verb, kinds in _by_verb().items() for past in participles(verb)} | {
        "rescheduled": frozenset({"book"}),
        "looked": frozenset({"look"}),
        "found": frozenset({"look"}),
        "read": frozenset({"look"}),
    }


@cache
def _by_root() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for kind, (_, roots) in _KINDS.items():
        for root in roots.split():
            found.setdefault(root, set()).add(kind)
    return {root: frozenset(kinds) for root, kinds in found.items()}


def _any(words: Iterator[str] | dict[str, frozenset[str]]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


@lru_cache(maxsize=4096)
def kinds_of(words: str) -> frozenset[str]:
    """The kinds of deed that words name, in whatever form: `cancel_order`, `cancelled`, `storniert`."""
    found: set[str] = set()
    for word in re.findall(r"[a-z]+", plain(words).replace("_", " ")):
        found |= _by_verb().get(word, frozenset()) | _by_participle().get(word, frozenset())
        if word.endswith("ing"):
            stem = word[:-3]
            found |= _by_verb().get(stem, frozenset()) | _by_verb().get(stem + "e", frozenset())
        if word.endswith(("ation", "ment", "fund", "al", "ure", "ion")) and len(word) > 6:
            found |= _of_noun(word)
        found |= next((kinds for root, kinds in _by_root().items() if word.startswith(root)), frozenset())
    return frozenset(found)


def _of_noun(word: str) -> frozenset[str]:
    """The kinds of a noun made of a verb: cancellation, payment, renewal."""
    return next(
        (kinds for verb, kinds in _by_verb().items() if len(verb) > 3 and word.startswith(verb.rstrip("e"))),
        frozenset(),
    )


@cache
def _patterns() -> tuple[tuple[bool, re.Pattern[str]], ...]:
    past = _any(_by_participle())
    only_past = _any({one: kinds for one, kinds in _by_participle().items() if one not in _by_verb()})
    roots = _any(_by_root())
    own = (
        rf"\b(?:i|we)(?:(?:'ve| have) {_ADVERBS}| just )(?P<verb>{past})\b",
        rf"\b(?:i|we) {_ADVERBS}(?P<verb>{only_past})\b",
        rf"\b(?:has|have|'s|'ve) {_ADVERBS}been {_ADVERBS}(?P<verb>{past})\b",
        rf"\b(?:i|we)(?:'ve| have)\b.* and {_ADVERBS}(?P<verb>{past})\b",
        rf"\b(?:ich habe?|habe? ich|wir haben|haben wir)\b.*?\b(?P<verb>(?:\w{{0,6}}ge)?(?:{roots})\w*?{_ROOT_END['de']})",
        rf"\bhabe?n? (?:ich|wir)?.* und .*?\b(?P<verb>(?:{roots})\w*?{_ROOT_END['de']})",
        rf"\b(?:j'ai|nous avons|on a|a ete|ont ete|viens d[e'])\b.{{0,30}}?\b(?P<verb>(?:{roots})\w*?{_ROOT_END['fr']})",
        rf"\b(?:he|hemos|ha sido|han sido)\b (?:ya )?(?P<verb>(?:{roots})\w*?{_ROOT_END['es']})",
    )
    states = (
        rf"(?:\b(?:is|are|was|were|stands)|'s|'re) {_ADVERBS}(?P<verb>(?<!all )(?:{past}))\b",
        rf"\b(?:ist|sind|wurde|wurden)\b.*?\b(?P<verb>(?:\w{{0,6}}ge)?(?:{roots})\w*?{_ROOT_END['de']})",
        rf"\b(?:(?:est|sont)\b|c'est) (?:\w+ )?(?P<verb>(?:{roots})\w*?{_ROOT_END['fr']})",
        rf"\b(?:esta|estan|queda|quedan|quedo|ya|fue)\b (?:\w+ )?(?P<verb>(?:{roots})\w*?{_ROOT_END['es']})",
    )
    return tuple((True, re.compile(one)) for one in own) + tuple((False, re.compile(one)) for one in states)


_AFTER = "to|for|in|into|under|with|as|from|until|till|on|at|and|now|just|without|today|again|back|up|off|out|it|them|the|your|both|all"
"""Words that go on after a participle that stands for a sentence; a noun makes it an attribute: the published list."""


@cache
def _fragment() -> re.Pattern[str]:
    past = {
        one: kinds for one, kinds in _by_participle().items() if one not in _by_verb() and one != "undone"
    }
    roots = _any(_by_root())
    return re.compile(
        rf"^\W*(?:\S+ ){{0,6}}?(?<!the )(?<!a )(?<!an )(?P<verb>{_any(past)}|(?:{roots})\w*?(?:{_ROOT_END['de']}|{_ROOT_END['es']}))\b"
        rf"(?=\W*$|\W*[,.(:!]|\s(?:{_AFTER})\b)"
    )


def claims(text: str) -> list[Claim]:
    """Every claim of a text that something was brought about, by the speaker or by nobody named."""
    return [claim for sentence in sentences(unquoted(text)) for claim in _of_sentence(sentence)]


@lru_cache(maxsize=1024)
def _of_sentence(sentence: str) -> tuple[Claim, ...]:
    return tuple(_claimed(sentence))


def _claimed(sentence: str) -> Iterator[Claim]:
    told = HARMLESS_NO.sub(" ", sentence)
    clauses = [one.strip() for one in _CLAUSE.split(told) if one.strip()]
    if sentence.endswith("?"):
        clauses.pop()
    conditional = False
    for place, clause in enumerate(clauses):
        conditional = conditional or bool(_CONDITION.match(clause))
        if NEGATION.search(clause) or _BY_OTHERS.search(clause):
            continue
        for found, claim in _of_clause(clause, sentence):
            spoken = _SPOKEN.match(clause, found.start("verb")) if "verb" in found.re.groupindex else None
            if _TEXTUAL.match(claim.verb) and _SHOWN.search(sentence):
                continue
            depends = conditional or _HINGES.search(clause, found.end())
            if (depends and not claim.firm) or (place and found[0] == clause):
                continue  # how things are under a condition, or a word that only adds to what was said
            if not spoken and not _NOT_CLAIMED.search(clause[: found.start()]):
                yield claim


def _of_clause(clause: str, sentence: str) -> Iterator[tuple[re.Match[str], Claim]]:
    told = []
    for firm, pattern in _patterns():
        for named in pattern.finditer(clause):
            if kinds := kinds_of(named["verb"]):
                fresh = firm or bool(_FRESH.search(clause))
                told.append((named, Claim(kinds, named["verb"], sentence, fresh, firm)))
    for names, state in _STATES:
        if seen := re.search(state, clause):
            told.append((seen, Claim(frozenset(names.split()), seen[0], sentence, True, False)))
    if told:
        yield from told
    elif done := _DONE.search(clause):
        yield done, Claim(frozenset(), done[0], sentence, True, True)
    elif not _FINITE.search(clause) and (left := _fragment().search(clause)):
        fresh = bool(_FRESH.search(clause))
        yield left, Claim(kinds_of(left["verb"]), left["verb"], sentence, fresh, False)


_ADMITS = re.compile(
    r"\b(?:fail(?:ed|s|ure)?|unable|could (?:not|n't)|couldn't|cannot|can't|(?:did|does|do|has|have|is|are|was|were|am)(?: not|n't)|refused|rejected|declined|error"
    r"|unfortunately|leider|nicht geklappt|konnte nicht|konnten nicht|no (?:he|se|ha|pude|pudo|puedo)|n'a\w* pas|pas (?:pu|ete|reussi)|impossible)\b"
)


def admits_failure(text: str) -> bool:
    """Whether a text says that something did not work."""
    return _ADMITS.search(HARMLESS_NO.sub(" ", unquoted(text))) is not None
