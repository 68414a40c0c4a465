"""Reading an EPC bit by bit: the value encodings of EPC Tag Data Standard 2.x, section 14.5."""

from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE40 = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
_TEXT_FOLLOWS, _DIGITS_END = 14, 15
KEY_TEXT = 5  # bits of length before a text of at most 31 characters


class EpcBits:
    """A place in the bits of an EPC; each `take` moves it on or raises IdentifierInvalid."""

    __slots__ = ("at", "bits", "epc")

    def __init__(self, epc: str) -> None:
        self.epc = epc
        self.bits = f"{int(epc, 16):0{4 * len(epc)}b}"
        self.at = 0

    def take(self, count: int) -> int:
        """The next bits as a number."""
        piece = self.bits[self.at : self.at + count]
        if len(piece) < count:
            raise IdentifierInvalid(Rule.LENGTH, f"{count} more bits", str(len(piece)), self.epc)
        self.at += count
        return int(piece, 2) if piece else 0

    def has_more(self) -> bool:
        """Whether anything but the zeros that fill a memory word is left."""
        return "1" in self.bits[self.at :]

    def digits(self, count: int) -> str:
        """Decimal digits of four bits each."""
        found = [self.take(4) for _ in range(count)]
        if any(digit > 9 for digit in found):
            raise IdentifierInvalid(Rule.CHARACTERS, "decimal digits", "a digit above 9", self.epc)
        return "".join(map(str, found))

    def number(self, digits: int) -> int:
        """An integer in as many bits as the greatest number of so many digits needs."""
        return self.take((10**digits - 1).bit_length())

    def numeric_text(self) -> str:
        """A number with its leading zeros, behind a length of four bits."""
        count = self.take(4)
        value = f"{self.number(count):0{count}d}" if count else ""
        if len(value) > count:
            raise IdentifierInvalid(Rule.LENGTH, f"{count} digits", repr(value), self.epc)
        return value

    def text(self, length_bits: int = KEY_TEXT) -> str:
        """Characters behind an encoding indicator of three bits and a length."""
        encoding, count = self.take(3), self.take(length_bits)
        if encoding == 0:
            return str(self.number(count))
        if encoding in (1, 2):
            found = "".join(f"{self.take(4):X}" for _ in range(count))
            return found if encoding == 1 else found.lower()
        if encoding == 3:
            return "".join(_BASE64[self.take(6)] for _ in range(count))
        if encoding == 4:
            return "".join(chr(self.take(7)) for _ in range(count))
        if encoding == 5:
            return self._code40(count)
        raise IdentifierInvalid(Rule.VALUE, "a text encoding 0 to 5", str(encoding), self.epc)

    def digits_then_text(self) -> str:
        """Digits up to a mark: F ends them, E leads on to text."""
        found = ""
        while (nibble := self.take(4)) < 10:
            found += str(nibble)
        if nibble == _DIGITS_END:
            return found
        if nibble == _TEXT_FOLLOWS:
            return found + self.text()
        raise IdentifierInvalid(Rule.CHARACTERS, "decimal digits", f"{nibble:X}", self.epc)

    def date(self) -> str:
        """YYMMDD in sixteen bits."""
        year, month, day = self.take(7), self.take(4), self.take(5)
        return f"{year:02d}{month:02d}{day:02d}"

    def _code40(self, count: int) -> str:
        found = ""
        while len(found) < count:
            triple = self.take(16) - 1
            first, rest = divmod(triple, 1600)
            found += _CODE40[first] + _CODE40[rest // 40] + _CODE40[rest % 40]
        return found[:count]
