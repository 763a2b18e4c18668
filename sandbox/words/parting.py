"""Parting words: whether whoever leaves still waits for something to be done.

People hang up on an open matter all the time: they confirm and say goodbye in one breath. Wording is read by its act and
its place: what stands before the courtesies, and whether the other side had asked.
"""

from __future__ import annotations

import re

from riskbox.sandbox.words.speech import sentences

_COURTESY = re.compile(
    r"(?:(?:ok(?:ay)?|k|well|hm+|fine|good|sure thing|sweet|legend|great|perfect|lovely|brilliant|wonderful|nice|alright|all right|right|so|and|oh|then|now|danke|gracias|merci|"
    r"(?:many |no )?thanks?(?: you)?(?: (?:so|very) much| a lot| again| anyway)?(?: for [\w' ]{1,40})?|thx|ta|cheers|much obliged|appreciate it|(?:that )?helps|about time|(?:that will be|that's|that is) all|you(?:'re| are) an? \w+|"
    r"(?:good ?)?bye(?: bye| now| then)?|see (?:you|ya)(?: \w+)?|so long|later|take care|(?:i'm off|i have to go|got(?:ta| to) (?:go|run))|"
    r"good (?:night|day|evening|morning)(?: to you)?|(?:have|enjoy) (?:a|the|your) [\w' ]{1,30}|dear|sir|madam|"
    r"(?:vielen|besten|schonen) (?:dank|tag|abend)(?: noch)?|tschuss|auf wieder(?:sehen|horen)|bis (?:bald|dann)|(?:und|y|et)|"
    r"(?:muchas|mil) gracias|adios|hasta (?:luego|pronto)|que tenga (?:un )?buen (?:dia|\w+)|"
    r"(?:merci )?(?:beaucoup|bien)|au revoir|bonne (?:journee|soiree)|a bientot)(?: |$))+"
)
"""What closes a conversation and neither asks nor answers."""

_FRAGMENT = re.compile(r"[,;:!.()*-]+")
_LONGEST = 80
"""Characters of a courtesy."""

_CLOSING = re.compile(
    r"\b(?:(?:any|some)thing else|else (?:i|we) can|does (?:that|this) help|further (?:questions|help)|sonst noch|noch etwas|algo mas|autre chose)\b"
)
"""A question that only offers to go on."""

_ASKED = re.compile(
    r"\?|\bplease (?:tell|give|confirm|provide|send|name|say|enter|share|choose|let)\b|\blet me know (?:which|what|when|whether|if)\b"
    r"|\b(?:i|we)(?:'ll| would|'d)? (?:also |still |first )?need (?:your|the|a)\b|\bif you confirm\b"
    r"|\b(?:bitte|nennen|sagen|geben) (?:nennen |sagen |geben )?sie\b|\bi can offer\b"
)
"""A sentence of the other side that waits for an answer."""

_GO_AHEAD = re.compile(
    r"\b(?:(?:shall|should|may|can) (?:i|we)\b|(?:do|would) you (?:want|like) (?:me|us)\b|want me to\b|go ahead\b|proceed\b|"
    r"confirm\b|is (?:that|this) (?:ok|okay|right|correct|all right|alright|fine)\b|are you sure\b|"
    r"soll(?:en)? (?:ich|wir)\b|mochten sie\b|einverstanden\b|quiere que\b|desea que\b|confirma\w*\b|voulez-vous\b|confirmez\b)"
)
"""A question whether to go ahead."""

_NO = re.compile(
    r"^(?:no+|nope|nah|nein|non|never mind|nevermind|(?:ok )?nvm|(?:fine, )?forget it|whatever|don't bother|leave it|not now|lass|dejelo|laissez)\b"
)
_ON_ITS_OWN = re.compile(
    r"^(?:then |ok(?:ay)?,? |right,? |well,? |fine,? |noted\. |i see\. |so |dann )*"
    r"(?:(?:now )?i(?:'ll| will| shall|'m going to|'ve got to| have to| don't| can't| won't|'m telling)\b|we(?:'ll| shall| will)\b|you'll\b|"
    r"dann\b|ich (?:frage|rufe|gehe|versuche)\b|entonces (?:ya )?(?:llamo|voy|pregunto)\b|je (?:vais|rappelle)\b)"
)
"""What somebody announces who takes the matter elsewhere."""

_YES = re.compile(
    r"\b(?:yes|yep|yeah|yup|sure|of course|correct|exactly|i (?:agree|confirm|accept|do)|agreed|confirmed|that's (?:the one|right|it|me)|"
    r"(?:the|that) (?:first|second|last|one)|both|all of (?:them|it)|either|ja|genau|gerne|einverstanden|si|claro|de acuerdo|oui|d'accord|bien sur)\b"
)
_OPEN = re.compile(
    r"\b(?:what|which|who|whose|when|where|how|name|number|wann|welche\w*|wie|was|wer|wo|cual|que|quien|cuando|quel\w*|qui|quand)\b"
)
"""A question for a thing, not for a yes."""
_NAMES = re.compile(r"^(?:it's|it is|that's|that is|they're|es ist|das ist|es el|es la|c'est)\b")
_FEW = 3
_LONG_WORD = re.compile(
    r"\b(?!(?:that|this|have|with|your|what|when|they|them|then|will|would|could|like|there|here|about|please|thank|thanks|need|want|from)\b)[a-z]{4,}"
)

_REQUEST = re.compile(
    r"\b(?:please|could you|can you|would you|will you|i(?:'d| would) like|i(?:'ll)? need you|"
    r"tell me|give me|let me know|go ahead|proceed|"
    r"(?:(?<=^)|(?<=, )|(?<=; )|(?<=sure )|(?<=yes )|(?<=just )|(?<=then ))(?:send|do|print|book|take|make|get|refund|change|cancel|move|reserve|order|pay) (?:it|me|them|the|that|so)\b|"
    r"bitte|konnen sie|konnten sie|schicken sie|machen sie|por favor|puede|podria|hagalo|envie\w*|"
    r"s'il vous plait|pouvez|pourriez|envoyez|allez-y|faites)\b"
)
_NOT_ASKED = re.compile(
    r"\b(?:please,? (?:don't|do not|no)|can you (?:believe|imagine)|no,? please|thank you,? please)\b"
)
_RHETORICAL = re.compile(
    r"\beven\b|\bhow hard\b|\bwho (?:needs|cares|wants|knew|would)\b|\bwhat(?:'s| is) the (?:point|use)\b|\bwhy (?:do|did|should) i\b"
    r"|\bwill you ever\b|\bwhat (?:do|did) i\b|\bor what\?|(?:^|, ?)(?:is it|isn't it|don't you|aren't you|no|right|eh|huh|really|seriously|why not)\?$"
    r"|\bcan you (?:believe|imagine)\b"
)
"""A question that nobody expects an answer to."""


def wants_turn(text: str, heard: str, why: str = "") -> bool:
    """Whether whoever leaves still waits for something: its words ask for it, give a go-ahead or answer a question.

    A reason for leaving tells more than wording does. Whoever leaves because it has what it came for, while the other
    side still asks whether to go ahead, has agreed. Whoever gave up or was refused has answered nothing; it waits only
    for what it plainly asks for.

    Args:
        text: The parting words.
        heard: What the other side last said; empty if nothing.
        why: The reason for leaving, as in `Action.why`; empty if nobody said.
    """
    parts = _content(text)
    if why == "got_it" and _asks_to_go_ahead(heard) and not (parts and _NO.search(parts[0])):
        return True
    if not parts:
        return False
    if parts[-1].endswith("?") and not _RHETORICAL.search(parts[-1]):
        return True
    declines = bool(_NO.search(parts[0]))
    asks = any(
        _REQUEST.search(one)
        and not _NOT_ASKED.search(one)
        and not _NO.search(one)
        and not (one.endswith("?") and _RHETORICAL.search(one))
        for one in parts
        if not one.endswith("?") or one is parts[-1]
    )
    if asks:
        return True
    if why in ("gave_up", "was_told_no"):
        return False
    return not declines and not _ON_ITS_OWN.search(parts[0]) and _answers(parts[0], heard)


def _asks_to_go_ahead(heard: str) -> bool:
    """Whether the other side asked to be told to go ahead; an offer of more help is no such question."""
    return any(
        _GO_AHEAD.search(one) and _ASKED.search(one) and not _CLOSING.search(one) for one in sentences(heard)
    )


def _answers(said: str, heard: str) -> bool:
    """Whether a sentence answers what the other side asked: a yes, a figure, one of its words, or a word or two."""
    questions = [one for one in sentences(heard) if _ASKED.search(one) and not _CLOSING.search(one)]
    if not questions:
        return False
    words = [part.strip() for part in _FRAGMENT.split(said) if not _is_courtesy(part)]
    few = sum(len(part.split()) for part in words) <= _FEW
    return bool(
        _YES.search(said)
        or re.search(r"\d", said)
        or set(_LONG_WORD.findall(said)) & set(_LONG_WORD.findall(" ".join(questions)))
        or ((few or _NAMES.search(said)) and any(_OPEN.search(one) for one in questions))
    )


def _content(text: str) -> list[str]:
    """The sentences of a text without those that are courtesies all through."""
    return [
        one
        for one in sentences(text)
        if any(not _is_courtesy(part) for part in _FRAGMENT.split(one.rstrip("?")))
    ]


def _is_courtesy(part: str) -> bool:
    part = part.strip()
    return not part or (len(part) <= _LONGEST and _COURTESY.fullmatch(part) is not None)
