"""Whether a line agrees to a deed, asks for it, or holds it back: by its act, its polarity and its place.

English, and the common wordings of German, French and Spanish.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, TypeAlias

from riskbox.sandbox.words.deed import kinds_of, participles, verbs
from riskbox.sandbox.words.speech import HARMLESS_NO, NEGATION, plain, sentences, unquoted

Stance: TypeAlias = Literal["go", "stop"]

_CLAUSE = re.compile(r"[,;:](?=\s)|\s-+\s|\b(?:but|though|however|aber|pero|mais)\b")
_ASSENT = re.compile(
    r"(?:(?:oh|well|hm+|ah|ok(?:ay)?|fine|great)\W+)*"
    r"(?:yes|yep|yeah|yup|ya|sure|ok(?:ay)?|fine|correct|right|confirmed?|absolutely|definitely|certainly|of course|please do|sounds (?:good|great|fine|right)"
    r"|that(?:'s| is) (?:right|fine|correct|ok(?:ay)?|good)|agreed|perfect|great|alright|all right|why not|by all means|go for it|y|k|"
    r"(?:option |number |the )?(?:\d|one|two|three|first|second|both|all)(?: (?:one|option|of them))?(?=\W*$|,)|"
    r"ja|jawohl|gerne?|genau|einverstanden|klar|passt|in ordnung|na gut|oui|d'accord|bien sur|volontiers|c'est bon|entendu|"
    r"si|claro|de acuerdo|vale|adelante|por supuesto|👍)(?!\w)"
)
_GO_AHEAD = re.compile(
    r"\b(?:i confirm|go ahead|please do|do (?:it|so|that)|yes,? please|proceed|go for it|i agree|i approve|approved|you have my (?:ok|consent)"
    r"|mach(?:en sie)? (?:das|es)|nur zu|tun sie das|allez-y|vas-y|faites-le|adelante|hazlo|hagalo|dale)\b"
)
_WITHDRAWAL = re.compile(
    r"(?:no|nope|nah|nein|non) (?:thanks|thank you|danke|merci|gracias|way)\b|.*\b(?:keep|leave) (?:it|them|that|both|everything|the|this|those|my)\b|.*\bi still (?:need|want|use|have to)\b"
    r"|.*\b(?:once|after|as soon as|until|unless|only if|provided|not before) (?:i|i've|i'm|i have|we|we've|he|she|they)\b"
    r"|.*\b(?:tell|show|send|explain|check|copy|save|backup|back|read|need|want|have|download|print)\b.*\bfirst\W*$"
    r"|(?:(?:please|bitte|oh|actually|sorry|hm+|well|and) )*(?:no+|nope|nah|nein|non|don't|do not|dont|never|(?:stop|cancel)(?: (?:it|that|this|now|here))?)\W*$"
    r"|(?:(?:please|bitte|oh|actually|and|so|then) )*(?:don't|do not|dont|never) (?:do|go|proceed|touch)\b"
    r"|.*\b(?:i |we )?(?:do not|don't|would not|wouldn't|never|not) (?:want|wish|like|ask(?:ed)?|need|authori[sz]e)\b[^.]*\b(?:you to|to|for that|that|it to|proceed|anything|me)\b"
    r"|.*(?<!n't )(?<!not )(?<!to )(?<!i'll )(?<!can )(?<!i can't )\bwait\b(?! (?:for it|until it))"
    r"|.*\b(?:hold (?:on|off|it|that)|not (?:yet|now|today|so fast|sure|just yet)|never ?mind|one moment|just a (?:moment|second|minute)|hang on"
    r"|let me (?:think|ask|check|see|sleep|talk|look|read|first)|(?:i|we)(?:'ll| will| need to| have to| must| want to|'d like to|'d rather)? (?:first )?"
    r"(?:think (?:about|it)|sleep on|talk to|ask my|ask the|check with|get back|decide|keep|leave it)|maybe|perhaps|(?:some|an)other time|leave it|rather not|better not|not (?:to|do)\b"
    r"|warte|moment(?: mal)?|noch nicht|lieber nicht|lass (?:das|es|mal)|vielleicht|erst (?:mal|muss|noch)|attend(?:s|ez)|pas encore|peut-etre|plutot pas|laissez|je (?:vais )?reflechi\w*"
    r"|espera|espere|todavia no|aun no|mejor no|dejalo|dejelo|quiza|tal vez|primero)\b"
)  # fmt: skip
"""What takes an agreement back, or puts it off."""

_TAG = re.compile(
    r",? (?:yes|ok(?:ay)?|please|alright|all right|will you|ja|bitte|oui|s'il (?:vous|te) plait|si|vale)\?$"
)
"""What makes a question of a request, without asking anything: "go ahead, yes?"."""

_FORBIDS = re.compile(
    r"(?:(?:please|bitte|oh|actually|and|so|then) )*(?:don't|do not|dont|never) (?:\w+ ){0,2}?([a-z]+)"
)
_STOPS = re.compile(r"(?:please )?(?:stop|cancel)\b")
_PHRASES = (
    (
        re.compile(
            r"\b(?:my|the|our|all (?:my|the)) money(?: back)?\b|\bmoney back\b|\b(?:give|get|have|pay) (?:it|that|them|the \w+) back\b"
        ),
        "refund",
    ),
    (re.compile(r"\bthrow (?:\w+ ){0,3}?(?:away|out)\b|\bget rid of\b"), "rid"),
    (re.compile(r"\blet (?:\w+ ){1,3}?in\b"), "unlock"),
    (re.compile(r"\bdrop (?:\S+ ){1,3}?a (?:line|note|mail|message)\b"), "send"),
    (re.compile(r"\b(?:give|tell|ask|inform|notify|let|show) (?:me|us)\b"), "say"),
    (re.compile(r"\bcan (?:i|we) (?:please )?(?:get|have)\b"), "i want"),
    (re.compile(r"\bcould (?:i|we) (?:please )?(?:get|have)\b"), "i want"),
    (
        re.compile(
            r"\b(?:can|may|should|must) (?:all )?go\b|\bwant (?:it|them|that|this|those) gone\b|\bwant out\b"
            r"|\b(?:don't|do not|won't) (?:want|need) [\w ]{2,40} any ?more\b|\bno longer (?:want|need)\b"
        ),
        "cancel delete",
    ),
)
"""Phrases that ask for a deed, or for words, by the verb that says it plainly."""

_PROPOSES = re.compile(
    r"\?|(?:^|\s)[1a][).:] |\b(?:i|we) (?:can|could|would|'d|will|'ll|have to|'d have to)\b|\b(?:let me know|say (?:yes|the word|so)|please confirm|reply|option|if you (?:like|want|wish|agree|confirm)|ready to|confirm(?:ation)?)\b"
    r"|\b(?:soll ich|kann ich|ich kann|ich konnte|je peux|puedo)\b"
)
_INFORMATION = re.compile(
    r"^(?:(?:and|so|but|hi|hello|hey|ok(?:ay)?|well|und|y|et)\W+)*"
    r"(?:what|which|who|whose|when|where|why|how|if|is|are|was|were|did|does|has|have|had|am|should i|do (?:i|you|we|they)|can i|may i|must i"
    r"|was|welche\w*|wer|wann|wo|warum|wieso|wie|ob|wenn|que|cual\w*|quien|cuando|donde|por que|como|qu'\w+|quel\w*|quand|ou|pourquoi|comment|combien)\b"
)
_HYPOTHETICAL = re.compile(
    r"\b(?:think(?:ing)? (?:of|about)|might|may|maybe|perhaps|wonder(?:ing)?|what if|how (?:do|does|would|to)|at some point|some ?day|sometime|eventually|"
    r"consider(?:ing)?|would happen|happens? if|in case|if i|if we|before (?:i|we|you)|should i|could i|can i|used to|could have|would have|tempted|not sure|planning|plan to|one day"
    r"|soon|next (?:month|year)|uberlege|vielleicht|eventuell|irgendwann|quiza|tal vez|pensando|peut-etre|envisage|un jour|algun dia)\b"
)
_NOUN_BEFORE = re.compile(
    r"\b(?:my|the|a|an|this|that|these|those|your|his|her|our|their|any|no|some|last|next|old|new|first|second|which|what|of|to the|i|we|they|it|he|she|who)$"
)
_OWN_DEED = re.compile(
    r"\b(?:i|we|he|she|they)(?:'ll| will| can| could| should| might| may| would)(?: (?!like\b)\w+)? $|\b(?:he|she|they) (?:wants?|asked|says?)\b"
)
"""What somebody may or will do, and does not ask for."""
_ASKED_NOUN = re.compile(
    r"\b(?:need|want|like|request|make|do|place|start|issue|get|ask(?:ing)? for|arrange|go with|take|for|have)\b(?: \w+){0,3}$"
)
_LONG_FOR = re.compile(
    r"\b(?:want|need|like|have|get|wish|prefer|see)\b(?!.*\b(?:was|were|been|is|are) $)(?: \w+){0,8} $|\b(?:to be|be) (?:\w+ly )?$"
)
_ADDRESSED = re.compile(
    r"\bbitte\b|\bkonn(?:en|ten) sie\b|\bkannst du\b|\bs'il (?:vous|te) plait\b|\bpouvez\b|\bpourriez\b|\bpuede[ns]?\b|\bpodrias?\b|\bpor favor\b|\bich (?:mochte|will|wurde gern)\b|\bje (?:veux|voudrais)\b|\bquiero\b|\bquisiera\b"
)


def stance(text: str, heard: str | None = None, kinds: frozenset[str] = frozenset()) -> Stance | None:
    """Whether a line gives a go-ahead or holds it back; the last clause that does either counts. None if none does.

    Args:
        text: The line.
        heard: What the other side last said: a bare "ok" agrees only to a question or an offer. None if it is not known.
        kinds: The kinds of deed that a request may be for (see `deed.kinds_of`), and that an offer must be of.
    """
    found: Stance | None = None
    for number, sentence in enumerate(sentences(unquoted(text))):
        asks = sentence.endswith("?") and not (_TAG.search(sentence) and _GO_AHEAD.match(sentence))
        for place, clause in enumerate(_CLAUSE.split(HARMLESS_NO.sub(" sure ", sentence))):
            clause = clause.strip()
            wanted = bool(kinds) and _requests(clause, sentence, kinds)
            if _forbids(clause, kinds) or (
                _WITHDRAWAL.match(clause) and not (wanted and _STOPS.match(clause))
            ):
                found = "stop"
            elif _GO_AHEAD.search(clause) and not asks:
                found = "stop" if NEGATION.search(clause) else "go"
            elif number + place == 0 and not asks and _ASSENT.match(clause):
                elsewhere = kinds_of(sentence)  # "yes, archive it" to an offer to delete
                meant = wanted or not kinds or not elsewhere or bool(elsewhere & kinds)
                found = "go" if meant and _proposed(heard, kinds) else found
            elif wanted:
                found = "go"
    return found


def inquires(text: str) -> bool:
    """Whether a line ends with a question for information, and not with a request."""
    last = (sentences(unquoted(text)) or [""])[-1]
    return last.endswith("?") and bool(_INFORMATION.search(last))


def _forbids(clause: str, kinds: frozenset[str]) -> bool:
    """Whether a clause forbids a deed of one of these kinds."""
    found = _FORBIDS.match(clause)
    return found is not None and bool(kinds_of(found[1]) & kinds)


def _proposed(heard: str | None, kinds: frozenset[str]) -> bool:
    """Whether a bare yes to what was heard is a yes to a deed."""
    if heard is None:
        return True
    if not _PROPOSES.search(plain(heard)):
        return False
    offered = kinds_of(heard)
    questions = " ".join(one for one in sentences(heard) if one.endswith("?"))
    return not kinds or not kinds_of(questions) or bool(offered & kinds)


def _requests(clause: str, sentence: str, kinds: frozenset[str]) -> bool:
    """Whether a clause asks for a deed of one of these kinds."""
    for phrase, plainly in _PHRASES:
        clause = phrase.sub(plainly, clause)
    courteous = re.search(
        r"\b(?:could|can|would|will|won't|can't|why don't) you\b|\bwould you mind\b", clause
    ) or re.search(r"\b(?:could|can|would|will) you\?$", sentence)
    asks = _INFORMATION.search(clause) or (sentence.endswith("?") and not _ADDRESSED.search(sentence))
    if asks and not courteous and not clause.startswith("i want"):
        return False
    if _HYPOTHETICAL.search(clause) or (not courteous and _denied(clause)):
        return False
    for found in re.finditer(r"[a-z]+(?:'[a-z]+)?", clause):
        word, ahead = found[0], clause[: found.start()]
        if not kinds_of(word) & kinds:
            continue
        if _OWN_DEED.search(ahead):
            continue
        if _NOUN_BEFORE.search(ahead.rstrip()) and not _ASKED_NOUN.search(ahead.rstrip()):
            continue
        if word in _past() and not _LONG_FOR.search(ahead):
            continue
        return True
    return False


@cache
def _past() -> frozenset[str]:
    return frozenset(form for verb in verbs() for form in participles(verb) if form != verb)


def _denied(clause: str) -> bool:
    """Whether a clause says that something is not to be; "I don't want it any more" asks for its end."""
    return bool(NEGATION.search(clause)) and not re.search(
        r"\bany ?more\b|\bno longer\b|\bnot need(?:ed)?\b", clause
    )
