"""Who may send: a token for each source, compared without telling by time how much of it was right."""

import hashlib
import hmac
from pathlib import Path

from lotstream.runtime.settings import SettingsInvalid

_HASHED = "sha256:"


class Tokens:
    """Tokens of the sources; without any, everybody may send."""

    def __init__(self, tokens: dict[str, bytes] | None = None) -> None:
        self._digests = tokens or {}

    @property
    def needed(self) -> bool:
        return bool(self._digests)

    def source_of(self, authorization: str) -> str | None:
        """The source whose token an Authorization header bears, or None."""
        scheme, _, token = authorization.partition(" ")
        given = hashlib.sha256(token.strip().encode()).digest()
        found = None
        for source, digest in self._digests.items():
            # every token is compared, so that the time says nothing about which one was near
            if hmac.compare_digest(digest, given):
                found = source
        return found if scheme.lower() == "bearer" else None


def read_tokens(file: Path | None) -> Tokens:
    """Tokens of a file of lines ``source token`` or ``source sha256:HEX``. Raises SettingsInvalid; shows no token."""
    if file is None:
        return Tokens()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"Expected a readable tokens file, got {type(error).__name__} at {str(file)!r}."
        ) from None
    tokens: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] in tokens:
            raise SettingsInvalid(
                f"Expected 'source token', each source once, got another line {number} in {str(file)!r}."
            )
        tokens[words[0]] = _digest(words[1], where=f"line {number} of {str(file)!r}")
    if not tokens:
        raise SettingsInvalid(f"Expected tokens in {str(file)!r}, got none.")
    return Tokens(tokens)


def _digest(word: str, *, where: str) -> bytes:
    if not word.startswith(_HASHED):
        return hashlib.sha256(word.encode()).digest()
    try:
        digest = bytes.fromhex(word.removeprefix(_HASHED))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise SettingsInvalid(f"Expected sha256: and 64 hex digits in {where}, got something else.")
    return digest
