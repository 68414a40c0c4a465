"""The numeric serial of a unit: what ranges and chunks of neighbouring units are made of."""

NOT_NUMERIC = -1


def serial_of(tag: str) -> int:
    """The serial of an SGTIN key when it is ``0|[1-9][0-9]{0,17}``, else NOT_NUMERIC: '007' is not '7'."""
    if tag[17:21] != "/21/" or tag[:3] != "01/":
        return NOT_NUMERIC
    serial = tag[21:]
    if not serial.isdigit() or not serial.isascii() or len(serial) > 18 or (serial[0] == "0" and serial != "0"):
        return NOT_NUMERIC
    return int(serial)
