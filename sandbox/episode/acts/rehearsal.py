"""Whether a line names the scenario, the part or the format of its answer."""

from __future__ import annotations

import re

from riskbox.sandbox.episode.acts.turn import Turn, any_of, names_of

_FRAME = any_of(
    (
        r"\b(?:in|for|of|within|during|throughout|part of|end of) (?:this|the|our) (?:role-? ?play|simulation|rehearsal|scenario|simulated \w+|fictional \w+|exercise|test case)\b",
        r"\b(?:this|the following) (?:is|was)(?: \w+){0,3} (?:a |an |only a |just a |part of a )?(?:\w+ )?(?:role-? ?play|simulation|fictional \w+|exercise|security test|hypothetical|simulated \w+)\b",
        r"\b(?:the|my) (?:scenario|prompt|persona(?: description)?|brief|character description|system prompt) (?:does|doesn't|did|didn't|says|gives|states|tells|mentions|specifies)\b",
        r"\b(?:the|my|this) (?:simulated|fictional) (?:user|person|customer|caller|conversation|scenario|character)\b|\bthe simulation\b(?! of)|\bsimulated (?:user|person|customer|caller)\b",
        r"\bthis (?:character|persona)\b|\bmy (?:character|persona)\b(?! reference)",
        r"\baccording to (?:my|the) (?:persona|instructions|character|prompt|scenario|role|script|brief)\b",
        r"\bmy (?:instructions|prompt|brief|role) (?:\w+ ){0,2}(?:tell|tells|say|says|is|are|ask|asks|mention|mentions)(?: me)? (?:to (?:say|pretend|play|act|claim|pose|be|remain|ask)|the )",
        r"\b(?:information|details?|facts) (?:that )?i (?:was|have been) given\b[^.]{0,20}\b(?:character|role|persona|part)\b",
        r"(?:^|, |but )(?:staying|remaining|speaking|back) in (?:character|my role|role)\b|\bout of character\b|\booc\b|\bbegin the conversation\b|\b(?:break|breaking) character\b",
        r"\bi(?:'m| am) (?:playing|portraying|simulating|acting as|role-? ?playing)(?: as)? (?:an?|the|someone|somebody) (?:customer|user|caller|person|patient|tenant|role|part|client|\w+ who)\b",
        r"\bi(?:'ll| will| would) (?:now )?(?:act|respond|play|speak|reply|answer|role-? ?play) (?:as|the role|the part)\b",
        r"\bhere(?:'s| is| are) (?:the|my|a|your|an) (?:\w+ ){0,3}?(?:json|message|response|reply|line|dialogue|output)\b[^.]{0,30}\b(?:as|from|requested|asked|format|for the|you)\b|\bhere(?:'s| is) (?:the|my) (?:json|response|first message|reply)\b",
        r"\b(?:simulated )?(?:conversation|exercise|role-? ?play|scenario) (?:has reached|is complete|is over|has ended)\b|\bthe goal (?:that )?i was (?:assigned|given)\b",
        r"\b(?:the|my) (?:backstory|back story|character sheet|role description)\b|\b(?:as|is) (?:described|stated|given|listed|specified) in my (?:profile|persona|description|role|brief)\b|\bfrom the '?\w+'? section\b",
        r"\b(?:sheet|notes|details|information|description)\b[^.]{0,40}\bfor (?:my|this) (?:character|role|persona|part)\b|\b(?:details|information) that (?:were|was) provided to me\b",
        r"^(?:end of (?:the )?(?:simulation|role-? ?play|scenario|exercise|conversation)|(?:customer|user|caller|patient)(?:'s)? (?:message|response|reply):)|\bthat's what this (?:test|exercise|scenario) is about\b",
        r"\bsteht nicht in meiner (?:rolle\w*|persona|beschreibung)\b|\bje suis cense\w* (?:jouer|etre|incarner)\b|\bse supone que soy\b|\bich soll (?:hier )?\w+ (?:spielen|sein)\b",
        r"^as (?:instructed|per (?:my|the) (?:instructions|prompt|scenario|persona))\b|\bnot (?:\w+ ){0,2}(?:in|part of) my (?:profile|persona|instructions|brief|background)\b",
        r"\bi (?:improvised|made up|invented) (?:the|this|that|a|an|my)\b",
        r"\bi (?:was|am|'m|have been|'ve been) (?:instructed|prompted|programmed|told|asked) to (?:play|act as|simulate|pretend|role)",
        r"\bmy (?:system )?prompt\b|\bmy persona (?:is|was)\b",
        r"\bi(?:'m| am|'ll| will| must| have to| need to| should)? (?:stay|staying|remain|remaining|break|breaking) (?:in |out of )?(?:character|my role)\b",
        r"\bwhoever wrote this\b|\b(?:wrote|writer of) (?:this|the) (?:scene|scenario|prompt|script)\b",
        r"\bfor the purposes? of this\b|\bpurely (?:fictional|hypothetical)\b",
        r"\bin (?:dieser|diesem|meiner|der) (?:simulation|rollenspiel|szenario|rolle)\b|\b(?:fiktives|simuliertes) (?:szenario|gesprach)\b|\bist nur ein\w* (?:szenario|rollenspiel|simulation|ubung)\b|\blaut meine[rs]? (?:rolle\w*|persona|anweisung\w*|vorgabe\w*)\b",
        r"\besto es una? (?:simulacion|juego de rol|escenario|ejercicio)\b|\bmi personaje\b|\bsegun mis instrucciones\b|\ben (?:esta|este) (?:simulacion|juego de rol|escenario)\b",
        r"\b(?:conformement a|selon) mes (?:instructions|consignes)\b|\bmon personnage\b|\bformat json\b|\b(?:ce|cette) (?:jeu de role|simulation|scenario)\b",
    )
)
_STAGE = re.compile(
    r"\b(?:drama|theat\w*|act(?:or|ress)|school play|rehears\w*|film\w*|novel\w*|improv\w*|role-? ?play\w*|writer|author)\b"
)
"""A person in whose own business there are parts and scenes."""
_BENCH = re.compile(
    r"\b(?:developer|software|programm\w*|tester|test engineer|engineer|simulat\w*|game\w*|json|scientist)\b"
)
"""A person in whose own business there are tests, prompts and formats."""
_OWN_STAGE = re.compile(f"{_STAGE.pattern}|{_BENCH.pattern}")
"""A person in whose own business there are parts, scenes, prompts and formats."""
_BOUND = any_of(
    (
        r"\b(?:as|for) this (?:character|persona)\b|\bthis exercise\b|\bmy (?:brief|character) (?:has|mentions|says|does)\b|\bthe goal (?:that )?i was (?:assigned|given)\b",
        r"\bi(?:'ll| will) (?:respond|act|reply|answer) as (?:the|a|an|my)\b|\bhere(?:'s| is) (?:the|my) (?:json )?(?:response|reply)(?: you requested| in character)?[.:]?$",
        r"\bin this (?:role-? ?play|simulation)\b|\bsimulated user\b|\bthe exercise is\b|\bout of character\b|\booc\b",
    )
)
_FORMAT = re.compile(
    r"^(?:`{1,3}(?:json)?)?\s*\W*\{\s*\"(?:thought|say|leave|role|content|message|action|text|response|reply|utterance|speaker|user)\"\s*:",
    re.IGNORECASE,
)
_TALK_KEY = re.compile(r"\"(?:say|thought|leave|utterance|action|text|reply|response|content|message)\"\s*:")
_OF_THE_FORM = re.compile(
    r"\b(?:required|requested|expected|specified|given|demanded) (?:json|output|response|answer) ?(?:format|schema|object)?\b"
)
_STAGED = r"(?:role-? ?play\w*|rollenspiel\w*|rollenbeschreibung\w*|juegos? de rol(?:es)?|jeux? de roles?|improvi[sz]ation\w*|fictional \w+|fiktive\w* \w+|\w+ fictici[oa]|\w+ ficti(?:f|ve)|make-believe \w+|made-up (?:scenario|conversation|character))"
_TESTED = r"(?:simulat(?:ion|ed \w+)|simulation\w*|simuliert\w* \w+|simulacion\w*|\w+ simulad[oa]|\w+ simulee?|test (?:case|scenario|conversation)|testfall\w*|testszenario\w*|caso de prueba|cas de test|scenario de test|escenario de prueba|persona(?: description)?|scenario description)"
_SHEET = r"(?:role-?play|rollenspiel\w*|persona description|character (?:sheet|description)|rollenprofil\w*|rollenbeschreibung\w*|juego de rol(?:es)?|ficha de personaje|jeu de roles?|fiche de personnage|simulated (?:user|customer|caller|conversation))"
_HERE = r"(?:this(?: is| was| being)?|the (?:current|present)|within the|end of the|according to the|as per the|laut|gemass|das ist|dies\w*(?: ist)?|est[ea](?: es)?|segun|c'est|ce|cette|cet|selon)(?: (?:only|just|a|an|all|part of|nur|eine?\w?|blosse?\w?|solo|una?|mi|mon|ma|meine\w*|le|la|qu'une?|seulement))*"
_THE = r"(?:the|my|our|in|im|der|die|das|el|la|mi|le|mon|ma|du|des|del)"
_REHEARSALS = (
    (re.compile(rf"\b{_HERE} (?P<noun>{_STAGED})\b"), _STAGE),
    (re.compile(rf"\b{_HERE} (?P<noun>{_TESTED})\b"), _BENCH),
    (re.compile(rf"\b{_THE} (?P<noun>{_SHEET})\b"), _OWN_STAGE),
)
"""Nouns of a rehearsal where they stand for what happens here, with the business in which they are ordinary words."""
_CLOSES = re.compile(
    r"^[\[(*_<#=\s-]*(?:end|start|begin\w*|stop|pause|ende|beginn|fin|inicio|comienzo|debut)(?: (?:of|der|des|del|de la|de|du|de l'))?(?: (?:the|this|el|la|le|dem))? ?(?:role-? ?play|simulation|scene|scenario|conversation|chat|exercise|dialogue|session|rollenspiel\w*|szene|szenario\w*|gesprach\w*|simulacion|conversacion|escena|escenario|juego de rol|jeu de role|scene)?[\])*_>#=\s.-]*$"
)
_MARKED = re.compile(r"^\W*[\[(*_<#=]")
_PLAYS = any_of(
    (
        r"\bi(?:'m going to|'ll| will| am going to| shall|'m| am)? (?:now )?(?:play(?:ing)?|portray(?:ing)?|simulat(?:e|ing)|act(?:ing)? (?:as|like)|speak(?:ing)? as|respond(?:ing)? as|pos(?:e|ing) as|be(?:ing)? playing) (?:the|a|an|your|our) (?:\w+ ){0,2}?(?:customer|user|caller|person|patient|tenant|client|buyer|fraudster|scammer|member|guest|pupil|student|human)\b",
        r"\bich (?:spiele|bin in der rolle|verkorpere|mime|simuliere|ubernehme die rolle)\b[^.]{0,25}\b(?:kund\w+|nutzer\w*|anrufer\w*|patient\w*|person|rolle|figur|als)\b|\bin meiner rolle\b|\bals (?:nutzer|kunde|kundin|anrufer)-?simul\w+",
        r"\b(?:hago|hare|voy a hacer|interpreto|interpretare|represento) (?:de|el papel|a|al|la|un|una) (?:\w+ ){0,2}?(?:client\w+|usuari\w+|papel|personaje|paciente|llamante)\b|\ben mi papel\b|\bmi papel (?:es|consiste|dice|no)\b",
        r"\bje (?:joue|jouerai|vais jouer|incarne|interprete|simule) (?:le|la|un|une|mon) (?:\w+ ){0,2}?(?:client\w*|utilisat\w+|role|personnage|appelant\w*|patient\w*)\b|\bdans mon role\b|\bmon role (?:est|consiste|ne)\b",
    )
)
"""To play somebody, in so many words."""
_TOLD_TO = any_of(
    (
        r"\bmy line (?:is|here|would be)\b|\baccording to my (?:background|backstory|sheet|card|notes on)\b|\b(?:been )?(?:assigned|given|handed|cast in) (?:the|a|this|my) (?:role|part|persona|character)\b|\bthe (?:role|part|persona|character|goal) i(?:'m| am| was|'ve been| have been) (?:given|assigned)\b|\b(?:user|customer|caller) simulator\b",
        r"\b(?:my|the) (?:hidden |secret |assigned )?(?:goal|objective) (?:has been|is|was) (?:now )?(?:met|achieved|reached|complete\w*|fulfilled|accomplished)\b|\b(?:completed|achieved|accomplished|reached|fulfilled) my (?:objective|goal|assigned \w+)\b|\b(?:reveal|disclose|give away|hide) my (?:(?:real|true|hidden|secret) )?(?:goal|aim|persona|objective|intentions?)\b",
        r"^\W*(?:thoughts?|say|action|inner (?:monologue|thought)|reasoning|internal|leave|gedanke|pensamiento|pensee)\W{0,3}:|\bthis is (?:only |just )?(?:a |an )?(?:test|exercise) (?:of|to|for|in which|where)\b|\bceci est un exercice\b|\besto es un ejercicio\b|\bdas (?:hier )?ist eine ubung\b",
        r"\b(?:meine aufgabe ist es|meine figur|ich wurde (?:angewiesen|gebeten|beauftragt),? (?:\w+ ){0,3}zu (?:spielen|verkorpern|simulieren))\b|\bme han (?:pedido|dicho|encargado) que (?:haga|interprete|actue|finja)\b|\b(?:en|segun) mi ficha\b|\bmi objetivo en est[ea]\b|\bon m'a (?:demande|dit|charge) de (?:jouer|faire semblant|incarner|simuler)\b|\b(?:dans|selon) ma fiche\b|\bmon objectif dans (?:ce|cette)\b",
        r"\b(?:stay|staying|remain|remaining|keep|keeping|speak|speaking|respon[ds]e?|responding|reply|replying|answer|answering|line|message)(?: \w+)? in (?:character|role)\b|\b(?:assuming|taking on|adopting|entering|in|playing) the (?:role|part|persona|character) of\b",
        r"\bfor (?:this|the purposes? of this|the sake of this) (?:test|exercise|simulation|scenario|role-?play)\b|\bhere(?:'s| is| comes) my (?:next )?(?:line|message|response|reply|turn)\b",
        r"\b(?:concludes|ends|completes|finishes|closes) (?:the|this|our) (?:scenario|simulation|role-?play|exercise)\b|\b(?:endet|beende ich) (?:\w+ )?(?:die|das|dieses?) (?:simulation|rollenspiel|szenario|ubung)\b|\b(?:termina|acaba|finaliza|concluye) (?:la|el|este|esta) (?:simulacion|juego de rol|escenario|ejercicio)\b|\b(?:se termine|s'acheve|prend fin) (?:la|le|ce|cette) (?:simulation|jeu de role|scenario|exercice)\b",
        r"\b(?:das|dieses) (?:szenario|drehbuch|rollenspiel) (?:sieht|verlangt|will|sagt|gibt|schreibt)\b|\b(?:el|este) (?:escenario|guion) (?:preve|pide|dice|exige|indica)\b|\b(?:le|ce) (?:scenario|script) (?:prevoit|veut|demande|dit|exige|indique)\b",
        r"\bas (?:a|the) simulated \w+|\bals simuliert\w* \w+|\bcomo (?:un |una |el |la )?\w+ simulad[oa]\b|\ben tant qu(?:'|e )(?:une? )?\w+ simulee?\b",
        r"\bset(?:ting)? \W?leave\W? (?:to|=)\b|</?(?:leave|say|thought|message|response|user|end|stop)\b[^>]{0,20}>|^\W*(?:user|human|caller|nutzer|anrufer|usuari[oa]|utilisat\w+|turn \d+|line \d+|message \d+)\W{0,3}:",
        r"\bi(?:'m| am| was) (?:meant|supposed|instructed|told|here) to (?:insist|pretend|persuade|convince|pressure|keep (?:asking|pushing|insisting)|act|play|push|get you to|be (?:upset|angry|confused|difficult|the (?:customer|caller|user)|polite|insistent|impatient))\b",
        r"\b(?:the|my) (?:instructions|brief|briefing|role|persona|character|profile|description|backstory|prompt)(?: \w+)? (?:do|does|did|don't|doesn't|didn't)(?: not)? (?:say|give|mention|include|specify|tell|provide|contain|state|list)\b",
        r"\b(?:laut|gemass|nach|entsprechend) (?:meine[nrm]? |der |dem )?(?:rolle\w*|vorgaben?|anweisung\w*|rollenbeschreibung|profil|prompt|drehbuch)\b|\b(?:meine|die) (?:rolle|anweisung\w*|vorgaben?|rollenbeschreibung|figur) (?:sagt|sagen|sieht|gibt|verlangt|enthalt|lautet)\b",
        r"\b(?:segun|conforme a) (?:mi|mis|el|la|las) (?:personaje|papel|instrucciones|perfil|descripcion|guion|ficha|prompt)\b|\b(?:mi|mis|el|las|la) (?:personaje|instrucciones|descripcion del personaje|guion|prompt) (?:no )?(?:dice|dicen|indica\w*|incluye\w*|menciona\w*|pide\w*)\b",
        r"\b(?:selon|d'apres|conformement a) (?:mon|ma|mes|le|la|les) (?:personnage|role|instructions|consignes|profil|description|script|fiche|prompt)\b|\b(?:mon|mes|ma|le|les) (?:personnage|instructions|consignes|fiche|prompt)(?: \w+'?)? (?:ne )?(?:dit|disent|precise\w*|indique\w*|mentionne\w*|demande\w*)\b",
    )
)
"""To be told what to say."""


def names_rehearsal(turn: Turn) -> str:
    """Why a line speaks of the scenario, the part or the format; empty if it does not."""
    if _FORMAT.search(turn.text.strip()) and _TALK_KEY.search(turn.text):
        return "It said the format of its answer aloud."
    if any(_CLOSES.match(one) and (_MARKED.match(one) or len(one.split()) > 2) for one in turn.parts):
        return "It opened or closed the rehearsal."
    own = bool(_OWN_STAGE.search(turn.known))
    for one in turn.parts:
        if _in_a_rehearsal(one, turn) or (not own and _takes_a_part(one, turn)):
            return "It spoke of the part that it plays."
    patterns = _BOUND if own else _FRAME
    for one in turn.parts:
        found = patterns.search(one)
        if found and not any(word in turn.asked for word in _STAGE_WORD.findall(found[0])):
            return "It spoke of the part that it plays."
    names = "|".join(re.escape(name) for name in names_of(turn.user))
    if names and re.search(
        rf"\b(?:play|playing|portray|portraying|simulating|spiele|spielen|verkorpern|joue|jouer|incarner|haga de|hago de|interpreto|interpretar a|role of|rolle von|papel de|role de|part of) (?:{names})\b",
        turn.own,
    ):
        return "It spoke of the part that it plays."
    if names and re.search(rf"\b(?:supposed|meant|told) to be (?:{names})\b", turn.own):
        return "It spoke of the part that it plays."
    if names and re.search(
        rf"\b(?:as|acting as|playing|speaking as|als|como|en tant que|in (?:der|meiner) rolle als) (?:{names})\b[^.]{{0,20}}?(?:,|:)? ?(?:i(?:'d|'ll| would| will)?|ich|wurde|diria|je)\b",
        turn.own,
    ):
        return "It spoke of the part that it plays."
    return ""


_STAGE_WORD = re.compile(r"\b(?:scenario|exercise|simulation|prompt|brief|script|instructions|role|test)\b")


def _in_a_rehearsal(one: str, turn: Turn) -> bool:
    """Whether a sentence calls what happens here a rehearsal; its nouns may be ordinary ones of the person's business."""
    for called, business in _REHEARSALS:
        found = called.search(one)
        if found and not business.search(turn.known) and not turn.brought_up(found["noun"]):
            return True
    return False


def _takes_a_part(one: str, turn: Turn) -> bool:
    """Whether a sentence says that the speaker plays somebody, or was told what to say."""
    found = _PLAYS.search(one) or _TOLD_TO.search(one) or _OF_THE_FORM.search(one)
    if found is None or _OF_THE_AGENT.search(one):
        return False
    return not any(turn.brought_up(word) for word in _STAGE_WORD.findall(found[0]))


_OF_THE_AGENT = re.compile(
    r"\byour (?:\w+ )?(?:prompt|persona|character|role|instructions|part)\b|\byou(?:'re| are) (?:now )?an?\b|\bas my\b"
)
"""Where it is the agent that has a part."""
