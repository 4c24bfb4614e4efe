"""Ids of fifteen characters, and the three more that make them safe where case is lost."""

import re

from cosell_emulators.salesforce.problems import Refusal, refusal

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?")
# Characters four to six name the instance an org lives on.
_INSTANCE = "Kx0"


def is_id(text: str) -> bool:
    """Tell whether a text has the shape of an id."""
    return bool(_SHAPE.fullmatch(text))


def long_id(text: str) -> str:
    """Give an id its eighteen characters; the last three restore the case of the others."""
    if not is_id(text):
        raise malformed(text)
    if len(text) == 15:
        return text + _checksum(text)
    return _recased(text[:15], text[15:].upper())


def minted(prefix: str, number: int) -> str:
    """Make the id of the *number*-th row of an object."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return long_id(prefix + _INSTANCE + digits.rjust(9, "0"))


def malformed(text: str) -> Refusal:
    """Refuse something that should have been an id."""
    return refusal("MALFORMED_ID", f"malformed id {text}")


def _checksum(text: str) -> str:
    blocks = (text[start : start + 5] for start in (0, 5, 10))
    return "".join(
        _CHECK[sum(1 << place for place, sign in enumerate(block) if "A" <= sign <= "Z")]
        for block in blocks
    )


def _recased(text: str, check: str) -> str:
    signs = []
    for place, sign in enumerate(text):
        upper = _CHECK.index(check[place // 5]) >> place % 5 & 1
        if upper and not sign.isalpha():
            raise malformed(text + check)
        signs.append(sign.upper() if upper else sign.lower())
    return "".join(signs) + check
