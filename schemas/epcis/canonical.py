"""Identifiers as the event hash has them: canonical Digital Links with the finest key alone (CBV 2.0 section 8.9)."""

import re
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

from lotstream.schemas.epcis.keys import gs1_key
from lotstream.schemas.identifiers import IdentifierInvalid

CANONICAL = "https://id.gs1.org"
_QUERY = re.compile(r"[?#].*", re.DOTALL)
# keys with a check digit by their form alone, and what makes them finer, the finest first (CBV 2.0, 8.9, rule 18)
_FORMS = {
    ai: re.compile(form, re.ASCII)
    for ai, form in {
        "00": r"[0-9]{18}",
        "01": r"[0-9]{8}|[0-9]{12,14}",
        "253": r"[0-9]{13}.{0,17}",
        "255": r"[0-9]{13,25}",
        "402": r"[0-9]{17}",
        "414": r"[0-9]{13}",
        "417": r"[0-9]{13}",
        "8003": r"[0-9]{14}.{0,16}",
        "8006": r"[0-9]{18}",
        "8017": r"[0-9]{18}",
        "8018": r"[0-9]{18}",
    }.items()
}
_FINER = {"01": ("21", "235", "10"), "414": ("254",), "8006": ("21", "10")}


@lru_cache(maxsize=1 << 17)
def canonical_uri(uri: str) -> str:
    """The Digital Link on id.gs1.org with the finest key only; a URI without one, or with a wrong one, as it is."""
    is_link = uri[:4].lower() == "http"
    # a qualifier in the query makes no valid link, but CBV 2.0 section 8.9 strips off every query
    for given in dict.fromkeys((uri, _QUERY.sub("", uri) if is_link else uri)):
        try:
            key = gs1_key(given)
        except IdentifierInvalid:
            continue
        if key and not key.startswith("hex/"):
            return f"{CANONICAL}/{key}"
    key = _unchecked_key(uri) if is_link else ""
    return f"{CANONICAL}/{key}" if key else uri


def _unchecked_key(uri: str) -> str:
    """The finest key of a link by its digits alone, whatever they are; '' where nothing has the form of one."""
    try:
        parts = urlsplit(uri).path.split("/")
    except ValueError:  # a host in brackets that is none
        return ""
    for at, (ai, value) in enumerate(pairwise(parts)):
        form = _FORMS.get(ai)
        if form and form.fullmatch(value):
            finer = dict(zip(parts[at + 2 :: 2], parts[at + 3 :: 2], strict=False))
            found = next(((name, finer[name]) for name in _FINER.get(ai, ()) if name in finer), ())
            return "/".join((ai, value.zfill(14) if ai == "01" else value, *found))
    return ""
