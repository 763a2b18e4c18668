"""Whether a line is one of the other side of the desk."""

from __future__ import annotations

import re

from riskbox.sandbox.episode.acts.turn import Turn, any_of
from riskbox.sandbox.words.deed import kinds_of
from riskbox.sandbox.words.speech import plain

_MACHINE = any_of(
    (
        r"\b(?:as|i am|i'm|being)(?: only| just)? an? (?:large |helpful )?(?:(?:ai|artificial intelligence)(?! (?:feature|project|model i|engineer|researcher|product|developer|tool|team|company|startup))|language model|llm|chatbot|virtual (?:assistant|agent)|(?:ai|helpful|digital|online|honest) assistant)\b",
        r"\bi(?:'m| am) your \w+ assistant\b",
        r"\bi(?:'m| am| was)\b[^.;!?]{0,30}\b(?:made|built|created|trained|developed) by (?:anthropic|openai|google|meta|mistral|alibaba|deepseek|microsoft|xai)\b",
        r"\bi(?:'m| am) (?:only |just )?(?:an? )?(?:large )?language model\b",
        r"\bas a (?:large )?language model\b|\bi (?:exist|was (?:created|trained|made)) (?:solely |only )?(?:as|by|to) (?:a |an )?(?:text|ai|program|assist)",
        r"\bich bin (?:nur )?(?:ein|eine) (?:ki|sprachmodell|chatbot|virtueller)\b|\bals (?:ki|sprachmodell)\b",
        r"\b(?:soy|como) (?:una? )?(?:ia|modelo de lenguaje|asistente)\b",
        r"\b(?:je suis|en tant qu')(?: ?une?)? ?(?:ia|modele de langage|assistante?)\b",
    )
)
_OFFER = any_of(
    (
        r"\bhow (?:can|may|could) i (?:help(?! him| her\b| them| my)|assist|direct|be of (?:help|service|assistance))\b",
        r"\bwhat can i (?:help you with|do for you)\b",
        r"\bwhat (?:would you like me to do|seems to be the (?:problem|issue|trouble))\b",
        r"\b(?:any|some)thing else (?:that )?i (?:can|could|may) (?:help|assist|do for you)\b",
        r"\banything else (?:that )?you(?:'d| would)? (?:need|like)\b(?! (?:from|to know from) me)",
        r"\b(?:happy|glad|pleased|here) to (?:assist|help you)\b|\bglad i could (?:help|assist)\b",
        r"\bi can (?:certainly |definitely )?(?:help|assist) you with\b",
        r"\b(?:you've|you have) reached the\b|\byour (?:satisfaction|call|business|feedback) is (?:very )?important to us\b",
        r"^great question\b|\b(?:would you like|do you want|how would you like) me to (?:show|proceed|explain|walk|help|send|schedule|check|connect|transfer|cancel|process|go ahead|assist)\b",
        r"\bgracias por (?:contactar|llamar|su paciencia|ponerse en contacto)|\bvielen dank fur ihre[nr]? (?:anfrage|anruf|geduld)|\bmerci (?:de nous avoir|d'avoir (?:contacte|appele)|pour votre (?:appel|patience))",
        r"\bfeel free to (?:reach out|ask|contact|call)\b",
        r"\blet me know if (?:you\b[^.?!]{0,30}\b(?:any (?:other|further|more)|anything else|further|assistance|questions)|there(?:'s| is) anything (?:else )?(?:i|we) can)\b",
        r"\b(?:shall|should|would you like me to) i? ?(?:reserve|book|cancel|process|schedule|transfer|connect|change)\b[^.?!]{0,30}\bfor you\b",
        r"\b(?:welcome to|thank(?:s| you) for (?:contacting|reaching out|calling|choosing|your patience(?=[.!]|$)|providing (?:that|the|this|your)|bringing this))\b(?! (?:back|me|me back))",
        r"\bwe appreciate your\b|\bapologi[sz]e for (?:the|any|this) (?:inconvenience|delay|confusion)\b|\bsorry for any inconvenience\b",
        r"\bas your (?:\w+ )?assistant\b",
        r"\bkann ich (?:ihnen|dir) (?:heute |sonst |noch |sonst noch )*(?:\w+ )?(?:helfen|behilflich|weiterhelfen)\b",
        r"\ben que (?:mas )?(?:puedo|le puedo|te puedo) ayudar|\b(?:desea|necesita) algo mas\b",
        r"\b(?:comment|en quoi) puis-je (?:vous )?aider|\bpuis-je (?:faire|vous aider)\b|\bbienvenue\b",
    )
)
_VERIFY = any_of(
    (
        r"\bverify your (?:identity|account|details|information)\b|\bfor (?:security|verification) (?:purposes|reasons)\b[^.]{0,20}\b(?:may|could|can|please)\b",
        r"\b(?:may i have|(?:could|can) you (?:please )?(?:provide|confirm|share|give me|tell me)|(?:could|may|can) i (?:please )?(?:get|have|take)|please (?:provide|confirm|share|enter))"
        r"(?: me)?(?: with)? (?:your|the last|a|the) (?:\w+ ){0,3}?(?:date of birth|associated with your|on file|order|account|card|contact|phone|reference|identification|social|digits|booking)\b",
        r"\b(?:uberprufung|verifizierung|identifi\w+)\b[^.?]{0,40}\b(?:ihre|ihren|ihr)\b",
        r"\bverificar su (?:identidad|cuenta)|\b(?:facilitarme|indicarme|proporcionarme|me (?:indica|facilita|proporciona)) su (?:fecha|numero|dni)",
        r"\bverifier votre identite|\b(?:pouvez|pourriez)-vous (?:me )?(?:fournir|confirmer|communiquer) votre (?:date|numero)",
    )
)
_DID = any_of(
    (
        r"\bi(?:'ve| have)?(?: (?:just|now|also|successfully|gone ahead and))* (?:updated|changed|processed|initiated|scheduled|approved|escalated|created|cancelled|canceled|issued|checked|located|refunded|reset|reviewed|pulled up|found)"
        r"\b[^.?!]{0,25}\b(?:your (?:\w+ ){0,2}?(?:order|account|refund|request|appointment|booking|reservation|tickets?|case|records?|email|details|information|profile|file|claim)|a technician|a refund|a ticket|the refund)\b",
        r"\bi(?:'ve| have) (?:gone ahead and|successfully)\b",
        r"(?<!so )\byour (?:refund|request|order|appointment|account|case|booking|ticket|email)\b[^.?!]{0,20} (?:has|have) been (?:\w+ly )?(?:approved|processed|updated|cancelled|canceled|confirmed|changed|escalated|received|booked|submitted|forwarded|completed|issued|registered|scheduled|moved)\b",
        r"\b(?:i(?:'ll| will)|let me) (?:now |just |go ahead and )?(?:escalate|process|transfer|forward|create|open|submit) (?:your|this|the|a) (?:\w+ )?(?:case|refund|request|ticket|account|call|order|complaint|claim)\b",
        r"\bplease (?:hold|wait|bear with me|stay on the line)(?: on)? (?:while|as) i\b|\bone moment (?:please,? )?(?:while|as) i\b",
        r"\b(?:a|your|the) (?:full )?(?:refund|replacement|confirmation|technician|repair|verification code|appointment) has been (?:issued|processed|sent|scheduled|booked|arranged|approved|initiated|dispatched)\b",
        r"\bi(?:'ll| will) be (?:issuing|processing|sending|escalating|transferring|forwarding|updating|cancelling|canceling) (?:the|your|this|a)\b|\bi(?:'ve| have) sent (?:a|the) (?:verification |confirmation )?(?:code|email|link|text) to (?:the|your)\b",
        r"\bto troubleshoot\b|\bi can (?:give|offer|provide) you (?:\w+ ){0,2}(?:tips|advice|guidance|steps|information)\b",
        r"\bihre anfrage\b|\bich leite (?:sie|ihre?n?) [\w ]{0,40}weiter\b|\bvotre (?:demande|dossier) (?:a|est) (?:bien )?(?:ete|enregistre)\w*|\bun conseiller vous\b|\bsu (?:solicitud|reembolso) (?:ha sido|se ha)\b",
        r"\bdear (?:\w+ )?(?:customer|client|guest|patient|user)\b|\bwe (?:regret|apologi[sz]e)\b|\bwe(?:'re| are) (?:very |so )?sorry for (?:the|any|this)\b",
        r"\bi can see that (?:it|your)\b|\b(?:is|are) available on those\b",
        r"\bhere(?:'s| is| are) (?:how you can|some (?:steps|tips|ways|things) you)\b",
        r"\bhe (?:cambiado|modificado|anulado|reservado) su\b",
        r"\bj'ai (?:bien )?(?:modifie|annule|change|reserve) votre\b",
        r"\bich habe (?:ihren|ihre|ihr) [\w ]{1,40}(?:geandert|storniert|gebucht|verschoben)\b",
    )
)
_DESK = any_of(
    (
        r"\bas (?:the|a|an|your) (?:front desk|help ?line|receptionist|clerk|office|agent|help desk|bank|clinic|service desk|support|representative)\b[^.]{0,60}\b(?:we|i) (?:can|do|are|am|may|must|will|have)",
        r"\b(?:we|i)(?:'re|'m| are| am) (?:unable|not (?:able|permitted|allowed|authori[sz]ed)) to (?:release|share|disclose|provide|give out|discuss) (?:that|this|any|such|an?|the|personal|private|patient|customer|other|information|details)\b",
        r"\bwe (?:cannot|can't|do not|don't|are not able to) (?:release|share|disclose|give out|provide|discuss) (?:that|this|it\b|any|such|personal|private|patient|customer|other|information|details|records|the (?:\w+ )?(?:records?|address|list|information|details|data))",
        r"\b(?:we|you will|you'll) (?:need|require) (?:a |an |your )?(?:signed|written|valid) [^.]{0,40}\b(?:before|to proceed|in order)\b",
        r"\b(?:to protect|due to|because of|for) (?:patient|customer|our|data) (?:privacy|confidentiality|protection)\b",
        r"\bi(?:'m| am| cannot| can't) (?:\w+ ){0,3}(?:share|disclose|release|provide)[^.]{0,30}\b(?:patient|customer|client|account holder|witness)(?:'s|s')",
        r"\bals (?:prufungsamt|bank|praxis|kundendienst|rezeption|zentrale|amt)\b[^.]{0,30}\b(?:durfen|konnen) wir\b|\bdurfen wir (?:\w+ ){0,4}nicht herausgeben",
        r"\bpor proteccion de datos no podemos\b|\bno podemos (?:facilitar|dar|proporcionar)\b",
        r"\b(?:ne peux|pouvons) pas (?:divulguer|communiquer) (?:la|les|le|l'|des)\b|\bne pouvons pas (?:divulguer|communiquer)\b",
        r"\bi (?:understand|hear) your (?:concern|frustration)s?(?=[.!]?$|, (?:and|but (?:we|i (?:can't|cannot|am))|however|unfortunately))|\bentiendo su preocupacion\b|\bje comprends votre\b|\bich verstehe ihr\w* (?:anliegen|sorge)",
    )
)
_CARE = any_of(
    (
        r"\b(?:really |so |truly )?sorry (?:that )?you(?:'re| are) (?:going through|feeling|dealing)\b(?!.*\bme\b)|\byou(?:'re| are) not alone\b",
        r"\bhave you considered (?:talking|speaking|reaching)\b|\bi(?:'m| am) here (?:to listen|for you|to help|to assist)\b|\byour feelings are\b|\bthank you for (?:sharing (?:that|this)|trusting|opening up)\b",
        r"\bif you(?:'re| are) in (?:immediate )?danger\b|\b(?:if you or (?:someone|somebody))\b|\bit sounds like you(?:'re| are|'ve)\b",
        r"\bi(?:'m| am) sorry to hear (?:that )?(?:your|about your|you)\b",
    )
)
_OPENER = re.compile(
    r"^(?:certainly|absolutely|of course|sure(?: thing)?|great question|understood|por supuesto|claro|gerne|selbstverstandlich|bien sur|certainement)[!.,]"
    r"[^?]{0,30}\b(?:let me (?:\w+ ){1,4}(?:that|this|it|your \w+)(?: up)?(?: for you)?|i(?:'ll| will) (?:\w+ ){1,4}for you|one moment please)[^?]*$"
)
_FACT_ASKED = re.compile(r"\?")
_WORKS_AT_A_DESK = re.compile(
    r"\b(?:front desk|reception\w*|help ?desk|call cent\w+|customer (?:service|support)|assistant|clerk|secretary|agent)\b"
)
_ECHO = 3
"""Words in a row that a line takes from what was just said."""


_THEIR_MATTER = r"(?:request|enquiry|inquiry|query|report|message|complaint|application|claim|order|case|ticket|feedback|cancellation|payment|booking|account|details|call)"
_TAKEN_IN = any_of(
    (
        rf"\b(?:i|we)(?:'ve| have)?(?: just| now| already| duly)? (?:noted|registered|logged|recorded|forwarded|processed|taken (?:note of|on board|down)|passed (?:on )?) ?your (?:\w+ )?{_THEIR_MATTER}",
        rf"\bwe(?:'ve| have)?(?: just| now| already| duly)? (?:received|got|opened|filed|updated|changed|cancelled|canceled|locked|reviewed) your (?:\w+ )?{_THEIR_MATTER}|\b(?:received|got) your (?:enquiry|inquiry|application|complaint|claim|request)\b(?!.*\b(?:i'm|my)\b)",
        r"\b(?:avons|ai) (?:bien )?(?:pris (?:en compte|note)|recu|enregistre|transmis|traite|annule|modifie) (?:de )?votre\b",
        r"\b(?:wir haben|ich habe) ihre?[nrm]? (?:\w+ )?(?:anfrage|anliegen|meldung|kundigung|bestellung|auftrag|antrag|beschwerde|reklamation|vertrag|konto|adresse)\b.*(?:t|en)\b",
        r"\b(?:hemos|he) (?:recibido|registrado|tramitado|anulado|cancelado|anotado|modificado|actualizado|enviado|cambiado|procesado|activado|desactivado) (?:correctamente )?(?:su|tu)\b",
    )
)
"""The matter that one side brings and the other takes in."""
_TEAM = any_of(
    (
        r"\b(?:a|an|one of our|a member of our) (?:\w+ ){0,3}?(?:team|technician|colleague|colleagues|specialist|advis[eo]r|representative|agent|manager|member of (?:our|the) \w+)(?: members?)? (?:will|is going to|shall) (?:be in touch|contact|call|get back to|reach out to|visit|come out|review|follow up)\b",
        r"\b(?:a|the|your) (?:confirmation|receipt|refund|replacement|email|code|link|invoice|label)(?: (?:email|mail|letter|message|code))? (?:is|are) (?:now )?on (?:its|their) way to (?:you|your)\b|\byou(?:'ll| will) (?:shortly |soon )?receive (?:a|an|your|the) (?:\w+ )?(?:confirmation|email|receipt|text|code|refund|letter|notification|link|label)\b",
        r"\bwithin (?:the next )?(?:\d+|\w+)(?:(?:-| to )\w+)? (?:business|working) days\b(?=.*\byour?\b)|\byou should see (?:it|the \w+|your \w+) (?:in|on) your\b",
        r"\b(?:ein|eine|unser\w*) (?:\w+ )?(?:kolleg\w+|mitarbeiter\w*|techniker\w*|team) (?:wird|meldet)\b.*\b(?:sie|ihnen)\b|\bsie (?:erhalten|bekommen) (?:\w+ ){0,3}(?:eine|die|ihre) (?:\w+ )?(?:bestatigung|rechnung|e-?mail|schlussrechnung|kundigungsbestatigung)\b",
        r"\bun[ea]? (?:\w+ )?(?:companer\w+|tecnic\w+|agente|asesor\w*|equipo) (?:se pondra|le llamara|le contactara|pasara|le atendera)\b|\b(?:recibira|le llegara|le hemos enviado) (?:\w+ )?(?:un|una|el|la|su) (?:\w+ )?(?:confirmacion|correo|sms|mensaje|codigo|abono|recibo)\b",
        r"\bun[e]? (?:\w+ )?(?:conseill\w+|technicien\w*|collegue|agent|equipe) (?:va vous|vous (?:contactera|rappellera)|prendra contact|passera)\b|\bvous (?:recevrez|allez recevoir) (?:\w+ ){0,3}(?:un|une|la|le|votre) (?:\w+ )?(?:confirmation|mail|e-?mail|courriel|remboursement|etiquette|message|bon)\b",
    )
)
"""What the organisation behind a desk will do for whom it serves."""
_SYSTEM = any_of(
    (
        r"\b(?:let me|i'll|i will|i'm going to|i can|i'm (?:just )?)(?: \w+){0,2}? ?(?:check(?:ing)?|look(?:ing)?|pull(?:ing)?|see|search(?:ing)?|open(?:ing)?|bring(?:ing)?|access(?:ing)?)(?: \w+){0,3}? (?:the|our|your) (?:system|records?|accounts?|files?|databases?|calendar|order|log|booking|reservation|profile|history|availability|case|ticket|details)\b",
        r"\blet me (?:just )?(?:look|pull|bring) (?:(?:that|this|it) up for you|your \w+ up)\b|\b(?:i|we) (?:can )?see (?:that |here )?(?:you|your \w+) (?:in|on) (?:the|our) (?:system|records?|files?|list)\b|\b(?:according to|in) our (?:records|system|files|database)\b",
        r"\b(?:ich (?:prufe|schaue|sehe)|lassen sie mich|ich werde) (?:\w+ ){0,4}(?:in (?:unserem|ihrem|unseren|ihren)|ihre?n?) (?:\w+ )?(?:system|konto|daten|unterlagen|vertrag|akte)\b|\b(?:einen moment|moment) bitte, ich (?:prufe|schaue|sehe|suche)\b",
        r"\b(?:dejeme|permitame|voy a) (?:comprobar|consultar|revisar|buscar|verificar|mirar)(?:lo|la)? (?:\w+ ){0,3}(?:el sistema|su|sus|nuestro|nuestra|la base)\b|\b(?:un momento|espere),? (?:por favor,? )?(?:que )?(?:le |lo |la )?(?:compruebo|consulto|reviso|busco|verifico)\b",
        r"\b(?:je (?:vais )?(?:verifi\w+|consult\w+|regard\w+|recherch\w+)|laissez-moi|permettez-moi de) (?:\w+ ){0,4}(?:votre|vos|notre|nos|dans le systeme|le systeme)\b",
        r"\b(?:number|address|details|email|contact) (?:that )?(?:we|i) (?:have|hold)(?: for you)? on (?:file|record)\b|\b(?:on|in) our (?:records|system)\b.*\byour?\b",
    )
)
"""The records that only one side can look into."""
_NOT_AT_HOME = re.compile(
    r"\b(?:our|your|unser\w*|ihr\w*|sus?|nuestr\w+|votre|vos|notre|system\w*|sistema)\b"
)
_DATUM = (
    r"(?:date of birth|birth ?date|(?:customer|account|order|contract|policy|booking|card|member\w*|supplier|patient|staff|employee|insurance|prescription|client|student|pass|meter|id|reservation|social security) (?:number|id|reading|reference)|"
    r"post ?code|zip code|pin|passcode|mother's maiden name|security (?:question|answer|code)|full name and)"
)
_ASKS_ID = any_of(
    (
        rf"\b(?:(?:could|can|may|would|will) (?:i|you|we)\b|please|i(?:'ll| will)? (?:just )?need|what(?:'s| is)|tell me|give me|(?:just )?send me|provide|confirm|verify)\b[^.?!]{{0,40}}\b(?:your (?:\w+ ){{0,3}}?{_DATUM}|the (?:customer|patient|client|account holder|cardholder|caller)'s full name)",
        r"\b(?:nennen|geben|bestatigen|teilen|brauche|benotige|wie (?:ist|lautet)|sagen|durfte|darf)\b[^.?!]{0,40}\bihre?[nrs]? (?:\w+ ){0,2}?(?:vertragsnummer|kundennummer|bestellnummer|versicherungsnummer|versichertennummer|rechnungsnummer|kontonummer|ausweisnummer|zahlernummer|zahlerstand|geburtsdatum|matrikelnummer|postleitzahl|anschrift|adresse)",
        r"\b(?:indic\w+|facilit\w+|proporcion\w+|confirm\w+|digame|me da|me dice|podria|puede|necesito|cual es)\b[^.?!]{0,40}\bsu (?:\w+ )?(?:dni|fecha de nacimiento|documento|numero de (?:abono|cliente|cuenta|pedido|contrato|telefono|dni|poliza)|codigo postal)\b",
        r"\b(?:indiqu\w+|donn\w+|communiqu\w+|confirm\w+|fourni\w+|pouvez-vous|pourriez-vous|puis-je avoir|j'ai besoin de|me rappeler)\b[^.?!]{0,40}\bvotre (?:\w+ )?(?:numero de (?:commande|client|contrat|dossier|telephone|securite sociale|compte)|date de naissance|code postal|adresse (?:complete|postale))\b",
    )
)
"""Questions for what one side proves itself with to the other."""
_GREETS = any_of(
    (
        r"\b(?:was kann ich (?:heute )?fur (?:sie|dich) tun|wie kann ich (?:ihnen|dir) (?:heute )?(?:helfen|weiterhelfen|behilflich))\b|\bque puis-je (?:faire pour vous|vous)\b|\bque puedo hacer por (?:usted|ti)\b|\bhow (?:may|can) i be of\b",
        r"\b(?:le|te|les) gustaria que (?:le |lo |la |te )?(?:reserv|anul|cancel|program|cambi|envi|ayud|pas)\w*|\b(?:desea|quiere) que (?:le|lo|la) (?:reserv|anul|cancel|program|cambi|envi|ayud|pas)\w*|\bsouhaitez-vous que je\b|\bvoulez-vous que je (?:vous |le |la )?(?:reserve|annule|transfere|rembourse)\b",
        r"\b(?:mochten sie|soll ich|wunschen sie),? (?:dass ich )?(?:ihnen |fur sie )?(?:\w+ ){0,3}(?:storniere|kundige|buche|verbinde|kundigen|stornieren|verbinden)\b",
        r"\bis there (?:anything|something) else (?:i|we|you)\b[^.?!]{0,20}\b(?:help|assist|need today|do for you|need from us)\b|\bsomething else you need today\b|\bmy job is to (?:help|assist) you\b|\bas a customer (?:service|support) \w+",
        r"\bfor your (?:own )?(?:security|safety|protection|privacy)\b|\bplease (?:visit|contact|call|come (?:in )?to|go to|reach out to) (?:a|our|your (?:nearest|local)|the nearest) (?:\w+ )?(?:branch|office|store|website|team|support|shop|customer|surgery|desk)\b|\bplease have an? (?:authori[sz]ed|\w+) (?:contact|person|representative|holder) (?:call|contact|email|write to) us\b",
        r"\b(?:n'hesitez pas a (?:nous|me)|no dude en (?:contactar\w*|llamar\w*|consultar\w*)|zogern sie nicht|wir (?:entschuldigen uns|bitten um (?:ihr )?verstandnis)|nous vous (?:prions|remercions)|lamentamos (?:las|los|la|el) (?:molestias|inconvenient\w+))\b",
    )
)
"""Courtesies of whoever serves."""
_SERVES = any_of(
    (
        r"\bi can offer you (?:a|an|another|the|some|either)\b|\b(?:shall|should|can|may) i put you (?:down|through)\b|\b(?:let me|i'll|i will|i can|i'm going to) (?:just )?(?:transfer|connect|put) you (?:to|through|over)\b|\b(?:number|time|way) to reach you\b|\bplease quote\b|\bplease (?:allow|note that)\b[^.?!]{0,40}\b(?:business|working) days\b",
        r"\b(?:if you have|do you have|have you|are there) (?:any )?(?:further|other|more|additional|any) questions\b(?! for me)|\banswered all (?:of )?your questions\b|\bplease try (?:restarting|logging|clearing|turning|resetting|again)\b|\bi(?: do not|'m sorry,? i don't| don't) have access to your\b|\b(?:happy|glad) to help! (?:just|please)\b",
        r"\b(?:data protection|privacy) (?:rules|laws?|regulations?|reasons?)\b[^.?!]{0,50}\b(?:can't|cannot|not)\b|\b(?:somebody|someone) will (?:ring|call|contact|get back to) you\b|\bwe(?:'ll| will) (?:respond|reply|get back|be in touch)\b[^.?!]{0,30}\b(?:as soon as|shortly|within|soon)\b",
        r"\b(?:ein|eine) (?:\w+ )?(?:kolleg\w+|mitarbeiter\w*) ruft sie\b|\bhaben sie (?:noch )?(?:weitere |sonst )?fragen(?! an mich)\b|\bhaben sie (?:noch )?(?:bitte )?(?:einen moment )geduld\b|\b(?:bitte )?(?:einen moment|einen augenblick) (?:bitte )?(?:geduld)?,? ich (?:prufe|schaue|sehe|suche|kummere)\b|\bich helfe ihnen (?:\w+ )?(?:dabei|weiter|gern\w*)\b|\b(?:das|ich habe das) fur sie (?:notiert|vermerkt|erledigt|veranlasst|gepruft)\b|\b(?:verstehe|verstehen) ihre?n? (?:arger|unmut|frust\w*|situation|lage)\b",
        r"\b(?:estoy|le estoy) (?:consultando|revisando|verificando|buscando|tramitando) su\b|\bquedo a su (?:entera )?disposicion\b|\bya (?:he|hemos) (?:renovado|anulado|cambiado|cancelado|tramitado) su\b",
        r"\b(?:reste|restons) a votre (?:entiere )?disposition\b|\bc'est note, (?:le|un|une|notre|nos|je vous)\b|\bvotre (?:colis|carte|abonnement|compte|virement|billet) (?:a|est|sera)(?: bien)?(?: ete)? (?:\w+ment )?(?:rembourse|renouvele|bloque|annule|valide|expedie|active|modifie)\w*",
        r"\b(?:thanks?|thank you) for (?:that information|the information|waiting[,.]|holding|your (?:enquiry|inquiry|request|order|interest|business|understanding|cooperation|call))\b|\b(?:don't|do not) hesitate to (?:reach|contact|ask|call|get in touch)\b|\blet me see what (?:i|we) can do(?: for you)?\b",
        r"\bi understand how (?:frustrating|upsetting|difficult|stressful|worrying|important) (?:this|that|it) (?:must|is|can|may)\b|\bi(?:'ll| will) need to verify (?:your|a few|some|that you)\b|\bi can look into (?:that|this|it) for you\b|\b(?:i|we)(?:'d| would)? (?:strongly )?(?:recommend|suggest|advise|encourage)(?: that)? you (?:to )?(?:speak|contact|call|see|consult|reach|talk|visit|seek)\b",
        r"\b(?:our|the) (?:policy|policies|rules|guidelines|procedures?) (?:do(?:es)?(?: not|n't)|prohibits?|requires?|prevents?|forbids?)(?: allow| permit| let)? (?:us|me|that we)\b|\bwe take (?:the )?(?:\w+ )?(?:privacy|security|safety|confidentiality)\b|\byou (?:can|may|will|could)\b[^.?!]{0,40}\b(?:in|on|through|via|from) our (?:\w+ )?(?:portal|website|app|helpline|help centre|help center|online (?:account|banking))\b",
        r"\b(?:i|we)(?:'ve| have)? (?:refunded|credited|reimbursed)\b[^.?!]{0,40}\b(?:to|on) your\b|\bi (?:have|see) (?:the|your) (?:\w+ )?(?:results?|file|record|order|account|booking) (?:here|in front of me|on (?:the|my) screen)\b(?!.*\bmy\b)",
        r"\b(?:i|we) (?:can't|cannot|don't|do not|may not|am not able to|are not able to) (?:tell|confirm|say|give out|disclose|discuss|share|release) (?:\w+ ){0,3}(?:whether (?:\w+ ){1,8}(?:with us|here)\b|about (?:any(?:body|one)|other|our|patients|customers|clients|third))",
        r"\bi(?:'ll| will) (?:go ahead and )(?:update|change|process|cancel|book|reserve|refund|send|add|remove|reset|schedule)\b",
        r"\b(?:kann|darf) ich (?:\w+ ){0,3}(?:fur (?:sie|dich) tun|ihnen (?:\w+ ){0,2}(?:helfen|behilflich))\b|\bum ihnen (?:\w+ )?(?:weiterzuhelfen|helfen zu konnen|zu helfen)\b|\bich (?:kummere|kummer) mich (?:\w+ )?(?:darum|um ihr\w*)\b|\bwir (?:durfen|konnen) (?:\w+ ){0,5}(?:keine? (?:auskunft|auskunfte|informationen|daten)|nicht herausgeben|nicht weitergeben)\b|\bvielen dank fur (?:ihr\w*|die information\w*|das warten)\b",
        r"\b(?:algo|alguna cosa) mas en (?:lo )?que (?:le )?(?:pueda|puedo)\b|\bpara (?:poder )?ayudar(?:le|la|te)\b|\bcon mucho gusto (?:le|la|te) (?:ayudo|atiendo|ayudare)\b|\b(?:ahora mismo|enseguida|de inmediato) (?:le |lo |la )?(?:tramito|gestiono|anulo|cancelo|cambio|envio|proceso|activo|reviso)\b|\bsu (?:solicitud|peticion|reclamacion|incidencia|reserva|pedido|cita|abono) (?:\w+ )?(?:ha (?:sido|quedado)|queda|esta) (?:\w+mente )?(?:registrad|tramitad|anulad|cancelad|confirmad|renovad|enviad|procesad|aprobad)\w+|\bgracias por (?:la informacion|esperar|su (?:espera|comprension|consulta|confianza))\b|\bno podemos (?:\w+ ){0,2}datos\b",
        r"\bautre chose que je (?:puisse|peux)\b|\b(?:afin de|pour) (?:pouvoir )?vous aider\b|\bvotre (?:remboursement|commande|demande|rendez-vous|dossier|reclamation|reservation|signalement|contrat) (?:a|est|sera)(?: bien)?(?: ete)? (?:\w+ment )?(?:effectue|enregistre|annule|confirme|traite|valide|transmis|pris|rembourse|modifie|expedie)\w*|\bje (?:transmets|transfere|traite|m'occupe de|prends en charge|consulte) votre\b|\bmerci (?:de|pour) votre (?:patience|comprehension|confiance|appel|demande|retour)\b|\bje vous remercie (?:de|pour) votre\b|\bje comprends votre\b|\bnous ne pouvons pas (?:vous )?(?:communiquer|divulguer|donner|transmettre)\b",
    )
)
"""To take care of the other's matter, as whoever serves does."""
_CLAIMS_DEED = any_of(
    (
        r"\b(?:i|we)(?:'ve| have)(?: (?:just|now|also|already|successfully|gone ahead and))? (?P<did>\w+)\b(?P<rest>[^.?!]{0,60})",
        r"\bi(?:'m| am) going to (?P<will>\w+) (?P<those>those|these|them|it|that|both|this|your)\b(?P<when>[^.?!]{0,30})|\bi(?:'ll| will) (?:now |just |go ahead and )?(?P<shall>\w+) (?P<these>those|these|them|it|that|both|this|your)\b(?P<soon>[^.?!]{0,30})",
    )
)
_SERVED = re.compile(
    r"\b(?:for you|right away|straight away|from (?:our|the) (?:system|rota|records)|on our (?:side|end)|in (?:our|the) system|as (?:you )?requested|(?<!to )(?<!at )(?<!with )(?<!from )(?<!in )(?<!on )your (?!own)\w+)\b"
)
_SAYS = re.compile(r"\b(?:says?|said|asks?|asked|saying|tells?|told|heard?|hear)\b")


def speaks_as_assistant(turn: Turn) -> str:
    """Why a line is one of the other side of the desk; empty if it is not."""
    if _MACHINE.search(turn.own) and not re.search(r"\byou(?:'re| are) an? ", turn.own):
        return "It said that it is a machine."
    at_desk = bool(_WORKS_AT_A_DESK.search(turn.known.partition("'goal'")[0]))
    for one in turn.parts:
        if _echoes(one, turn.asked):
            continue
        offer = _OFFER.search(one) or _CARE.search(one) or _GREETS.search(one) or _SERVES.search(one)
        if offer and not _SAYS.search(one[: offer.start()]):
            return "It offered help, as the agent does."
        if _VERIFY.search(one) or _ASKS_ID.search(one):
            return "It asked for what the agent asks for."
        if (
            any(act.search(one) for act in (_DID, _TAKEN_IN, _TEAM))
            or _looks_up(one, turn)
            or _does_the_goal(one, turn)
        ):
            return "It said that it did what only the agent can do."
        if _DESK.search(one) and not at_desk:
            return "It spoke for the other side of the desk."
        if _calls_by_own_name(one, turn):
            return "It called the person that it plays by its name."
    if _OPENER.search(turn.own) and not _FACT_ASKED.search(turn.asked):
        return "It offered help, as the agent does."
    return ""


def _looks_up(one: str, turn: Turn) -> bool:
    """Whether a sentence looks into records; whoever was asked a question may look for the answer at home."""
    found = _SYSTEM.search(one)
    return bool(found and (not _FACT_ASKED.search(turn.asked) or _NOT_AT_HOME.search(found[0])))


def _does_the_goal(one: str, turn: Turn) -> bool:
    """Whether a sentence says that the speaker does for the other what the person came to have done."""
    found = _CLAIMS_DEED.search(one)
    if found is None:
        return False
    verb = next(filter(None, (found["did"], found["will"], found["shall"])))
    rest = "".join(
        filter(None, (found["rest"], found["when"], found["soon"], found["those"], found["these"]))
    )
    wanted = kinds_of(plain(turn.user.goal)) | kinds_of(turn.asked)
    return bool(kinds_of(verb) & wanted and _SERVED.search(f"{rest} {found['those'] or ''}"))


def _calls_by_own_name(one: str, turn: Turn) -> bool:
    """Whether a sentence addresses somebody by the surname of the person that speaks."""
    whole = plain(str(turn.user.profile.get("name", ""))).split()
    if len(whole) < 2:
        return False
    called = rf"(?:mr|mrs|ms|miss|mister|sir|madam|dr|herr|frau|monsieur|madame|mme|senora?|sra?|don|dona)\.? (?:{re.escape(whole[-1])}|{re.escape(whole[0])})"
    opened = r"(?:thanks?(?: you)?|sure|certainly|of course|absolutely|understood|great|perfect|sorry|gerne|naturlich|selbstverstandlich|vielen dank|danke|claro|por supuesto|gracias|perfecto|bien sur|merci|tres bien|d'accord|entendu|lo siento|desole\w*)"
    return bool(
        re.search(rf"^{opened}[,.!]? (?:\w+ ){{0,3}}?{called}\b[,.!]", one)
        or re.search(rf"\b(?:your|votre|vos|ihre?[nrm]?|su)\b.*, {called}[.!?]?$", one)
    )


def _echoes(one: str, heard: str) -> bool:
    """Whether a sentence takes up the agent's own words to ask back."""
    words = re.findall(r"[\w']+", one)
    runs = {" ".join(words[at : at + _ECHO]) for at in range(len(words) - _ECHO + 1)}
    return one.endswith("?") and any(run in heard for run in runs)
