"""One text to one tag key: what every producer of reads and events calls before it names a tag."""

from functools import lru_cache

from lotstream.schemas.identifiers.digital_link import digital_link_to_key
from lotstream.schemas.identifiers.epc import epc_to_key
from lotstream.schemas.identifiers.epc_uri import class_urn_to_key, epc_uri_to_key
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import format_key, parse_key


@lru_cache(maxsize=1 << 17)
def tag_key(text: str) -> str:
    """The canonical key of an EPC in hexadecimal digits, an EPC URI, a Digital Link under any domain, or a key.

    One unit has one key whichever way it is written; what is no GS1 key is `hex/…` with all its bits. A text that
    names only a class or a lot gives that key. Raises IdentifierInvalid.
    """
    head = text[:8].lower()
    if head.startswith("urn:"):
        is_class = head == "urn:epc:" and text[8:].lower().startswith(("class:", "idpat:"))
        return class_urn_to_key(text) if is_class else epc_uri_to_key(text)
    if head.startswith(("http:", "https:")):
        return digital_link_to_key(text)
    if "/" in text:
        return format_key(parse_key(text))
    if not text:
        raise IdentifierInvalid(Rule.FORM, "an EPC, EPC URI, Digital Link or key", "nothing", text)
    return epc_to_key(text)
