"""Serialised trade items by their keys: numeric serials are what ranges and chunks of neighbours are made of."""

NOT_NUMERIC = -1


def is_sgtin(key: str) -> bool:
    """Whether a key is a serialised trade item's: 01/{gtin14}/21/{serial}."""
    return key[:3] == "01/" and key[17:21] == "/21/" and len(key) > 21


def serial_of(tag: str) -> int:
    """The serial of an SGTIN key when it is ``0|[1-9][0-9]{0,17}``, else NOT_NUMERIC: '007' is not '7'."""
    if tag[17:21] != "/21/" or tag[:3] != "01/":
        return NOT_NUMERIC
    serial = tag[21:]
    if not serial.isdigit() or not serial.isascii() or len(serial) > 18 or (serial[0] == "0" and serial != "0"):
        return NOT_NUMERIC
    return int(serial)
