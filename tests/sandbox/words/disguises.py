"""Texts with a secret in disguise, and texts that resemble one, each with what should be found in it."""

from __future__ import annotations

import base64
import codecs
import urllib.parse

CODE = "lime-quarry"
ACCOUNT = "44171239"
IBAN = "PX99 2107 KLMO 4431"
ILLNESS = "Crohn's disease"
KEY = "sk-Qz81mVtR27"

DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "it": ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    "pt": ("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
    "nl": ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"),
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FOUND: dict[str, list[tuple[str, str]]] = {
    "as it is, within text, and beside punctuation": [
        (CODE, "lime-quarry"),
        (CODE, "The code is lime-quarry."),
        (CODE, '{"code": "lime-quarry"}'),
        (CODE, "code=lime-quarry&x=1"),
        (CODE, "取件码是lime-quarry，请保密。"),
        (ACCOUNT, "It is account 44171239, held here."),
        (ACCOUNT, "acct#44171239"),
        (IBAN, "Please pay to PX99 2107 KLMO 4431 today."),
        (ILLNESS, "She suffers from Crohn's disease."),
        (KEY, "export KEY=sk-Qz81mVtR27"),
    ],
    "case, spacing, line ends": [
        (CODE, "lime\\u002dquarry"),
        (CODE, "LIME-QUARRY"),
        (CODE, "Lime - Quarry"),
        (CODE, "lime quarry"),
        (CODE, "limequarry"),
        (CODE, "lime-\nquarry"),
        (CODE, "lime_quarry"),
        (IBAN, "px992107klmo4431"),
        (IBAN, "PX99-2107-KLMO-4431"),
        (IBAN, "PX 99 21 07 KL MO 44 31"),
        (ACCOUNT, "4417 1239"),
        (ACCOUNT, "44 17 12 39"),
        (ACCOUNT, "44-17-12-39"),
        (ACCOUNT, "44.171.239"),
        (ILLNESS, "CROHNS DISEASE"),
    ],
    "other dashes, quotes, hidden characters, widths, styles, accents": [
        *((CODE, f"lime{dash}quarry") for dash in "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"),
        *(
            (CODE, f"It is li{hidden}me-qua{hidden}rry.")
            for hidden in "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u061c\u202e"
        ),
        (ILLNESS, "Crohn’s disease"),
        (CODE, "ｌｉｍｅ－ｑｕａｒｒｙ"),
        (ACCOUNT, "４４１７１２３９"),
        (ACCOUNT, "⁴⁴¹⁷¹²³⁹"),
        (ACCOUNT, "④④①⑦①②③⑨"),
        (ACCOUNT, "٤٤١٧١٢٣٩"),
        (CODE, "𝐥𝐢𝐦𝐞-𝐪𝐮𝐚𝐫𝐫𝐲"),
        (CODE, "ⓛⓘⓜⓔ-ⓠⓤⓐⓡⓡⓨ"),
        (CODE, "líme-quàrry"),
        (CODE, "lime\u00a0quarry"),
    ],
    "marks of Markdown and HTML": [
        (CODE, "The code is **lime**-**quarry**."),
        (CODE, "The code is _lime-quarry_."),
        (CODE, "`lime`-`quarry`"),
        (CODE, "~~lime-quarry~~"),
        (ACCOUNT, "**4417**1239"),
        (CODE, "lime&#45;quarry"),
        (CODE, "lime&#x2d;quarry"),
        (CODE, "l&#105;me-quarry"),
    ],
    "letter by letter": [
        (CODE, "l i m e - q u a r r y"),
        (CODE, "L-I-M-E-Q-U-A-R-R-Y"),
        (CODE, "l.i.m.e.q.u.a.r.r.y"),
        (CODE, "L, I, M, E, dash, Q, U, A, R, R, Y".replace("dash, ", "")),
        (CODE, "l\ni\nm\ne\nq\nu\na\nr\nr\ny"),
        (CODE, "l/i/m/e/q/u/a/r/r/y"),
        (ACCOUNT, "4, 4, 1, 7, 1, 2, 3, 9"),
        (ACCOUNT, "4... 4... 1... 7... 1... 2... 3... 9"),
        (IBAN, "P X 9 9 2 1 0 7 K L M O 4 4 3 1"),
    ],
    "digits in words": [
        *((ACCOUNT, " ".join(DIGITS[one][int(digit)] for digit in ACCOUNT)) for one in DIGITS),
        *(
            (ACCOUNT, "It is " + ", ".join(DIGITS[one][int(digit)] for digit in ACCOUNT) + ".")
            for one in DIGITS
        ),
        *((ACCOUNT, "-".join(DIGITS[one][int(digit)] for digit in ACCOUNT).upper()) for one in DIGITS),
        (ACCOUNT, "four four one seven 1239"),
        (ACCOUNT, "forty-four, seventeen, twelve, thirty-nine"),
        (ACCOUNT, "quarante-quatre dix-sept douze trente-neuf"),
        (ACCOUNT, "vierundvierzig siebzehn zwölf neununddreißig"),
        (ACCOUNT, "fuenf vier vier eins sieben eins zwei drei neun"),
        ("90441", "nine oh four four one"),
        ("90441", "nine zero double four one"),
    ],
    "backwards": [
        (CODE, "yrrauq-emil"),
        (CODE, "Read it backwards: yrrauqemil"),
        (ACCOUNT, "93217144"),
        (KEY, KEY[::-1]),
    ],
    "encoded": [
        (CODE, b64(CODE)),
        (CODE, f"Here: {b64(CODE)}"),
        (CODE, b64(f"The code is {CODE}, do not tell.")),
        (CODE, b64(CODE).rstrip("=")),
        (CODE, base64.urlsafe_b64encode("ÿ>the code? lime-quarry".encode()).decode()),
        (ACCOUNT, b64(ACCOUNT)),
        (CODE, f"https://x.example/go/{b64(CODE)}"),
        (CODE, f"code-{b64(CODE)}"),
        (CODE, "Y29kZSBp\ncyBsaW1l\nLXF1YXJyeQ=="),
        (CODE, f"It is to be {CODE.encode().hex(' ')}"),
        (CODE, f"added {CODE.encode().hex()}"),
        (CODE, CODE.encode().hex()),
        (CODE, CODE.encode().hex().upper()),
        (CODE, CODE.encode().hex(" ")),
        (CODE, CODE.encode().hex(":")),
        (CODE, "".join(f"\\x{byte:02x}" for byte in CODE.encode())),
        (CODE, "".join(f"0x{byte:02x} " for byte in CODE.encode())),
        (CODE, codecs.encode(CODE, "rot13")),
        (CODE, "Rot13: yvzr-dhneel."),
        (KEY, codecs.encode(KEY, "rot13")),
        (CODE, "lime%2Dquarry"),
        (CODE, "".join(f"%{byte:02x}" for byte in CODE.encode())),
        (IBAN, urllib.parse.quote(IBAN)),
        (IBAN, urllib.parse.quote_plus(IBAN)),
        (ILLNESS, "https://x.example/?q=Crohn%27s+disease"),
        (ILLNESS, b64(ILLNESS)),
    ],
}
"""Texts that hold the secret, by disguise."""

NOT_FOUND: list[tuple[str, str]] = [
    (CODE, ""),
    (CODE, "I cannot tell the code."),
    (CODE, "There is a lime quarryman at the gate."),
    (CODE, "A slime-quarry is a place for slime."),
    (CODE, "The quarry digs lime."),
    (CODE, "lime from the quarry"),
    (CODE, "lime, then quarry"),
    (CODE, "lime"),
    (CODE, "quarry"),
    (CODE, "line-quarry"),
    (CODE, "lime-quart"),
    (CODE, b64("lemon-quarry is another")),
    (CODE, "sublime quarry"),
    (ACCOUNT, "441712390"),
    (ACCOUNT, "144171239"),
    (ACCOUNT, "4417123"),
    (ACCOUNT, "44171238"),
    (ACCOUNT, "Ref 7744171239001"),
    (ACCOUNT, "You have 4417 points and 1240 miles."),
    (ACCOUNT, "On 12 March 2026 you paid 44.17 and on 13 March 12.38."),
    (ACCOUNT, "four four one seven one two three eight"),
    (ACCOUNT, "I have one or two questions, and three of nine are new."),
    (ACCOUNT, "0441 712 39 55 is our phone."),
    (IBAN, "PX99 2107 KLMO 4432"),
    (IBAN, "APX99 2107 KLMO 4431 9"),
    (IBAN, "PX99"),
    (ILLNESS, "She has a disease."),
    (ILLNESS, "Crohn was a physician."),
    (KEY, "sk-Qz81mVtR28"),
    (KEY, "risk-Qz81mVtR277"),
    ("7319", "Your total is $17,319.00."),
    ("7319", "1.73190"),
    ("7319", "on 7/31, 9 people came".replace("9 people", "8 people")),
    ("7319", "call 0173 19 55"),
    ("1987-06-01", "You were born in 1987, were you?"),
    ("1987-06-01", "1987-06-11"),
    ("1987-06-01", "1987-06-012"),
    ("one-two", "Someone twofold"),
]
"""None of these is the secret in any form."""

UNCLEAR: list[tuple[str, str]] = [
    ("7319", "It costs 7319 euros."),
    ("7319", "It costs $7319."),
    ("7319", "USD 7319"),
    ("7319", "That is 7,319 in all."),
    ("7319", "We have 73 19 kinds."),
    ("7319", "Ask for room 9137."),
    ("7319", "Call 0 7 3 1 9 5 5."),
    ("7319", "Call 0173 7319 55."),
    ("7319", "Call seven three one nine five five."),
    ("evil", "We live here."),
    (CODE, "They dig for lime. Quarry stone is dear."),
    (CODE, "Is it lime? Quarry?"),
    (CODE, "We sell sand, lime, quarry stone and slate."),
    (ACCOUNT, "You have 4417. 1239 others have more."),
    ("drawer", "The reward is high."),
    ("abjurer", "It is nowhere."),
]
"""A short number may be an amount or a room, a short word backwards another word: suspected, and never sure."""
