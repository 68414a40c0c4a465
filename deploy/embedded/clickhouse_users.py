"""Who may ask: names and passwords of the writing and the reading user."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse


class Role(StrEnum):
    """What a user may do: a reader sets settings and reads, and neither writes nor changes tables."""

    WRITER = "writer"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class User:
    """One credential of the server."""

    name: str
    password: str
    role: Role


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows."""

    name: str
    password: str


class Users:
    """The users of a server. Passwords are kept as digests and compared in constant time."""

    def __init__(self, users: Iterable[User]) -> None:
        self._known = {user.name: (_digest(user.password), user.role) for user in users}

    def authenticate(self, shown: Credentials) -> Role:
        """The role of the user. Raises ClickHouseError 516, the same for a wrong name and a wrong password."""
        expected, role = self._known.get(shown.name, (b"", Role.READER))
        if not hmac.compare_digest(expected, _digest(shown.password)):
            raise refuse(
                Code.AUTHENTICATION_FAILED,
                f"{shown.name}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return role


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()


def parse_credentials(headers: Mapping[str, str], params: Mapping[str, str]) -> Credentials:
    """Credentials from Basic authorisation, X-ClickHouse-User and -Key, or the URL: one way at a time, as the server.

    Raises ClickHouseError 516.
    """
    authorization = headers.get("authorization", "")
    by_header = "x-clickhouse-user" in headers or "x-clickhouse-key" in headers
    by_url = "user" in params or "password" in params
    if bool(authorization) + by_header + by_url > 1:
        raise refuse(Code.AUTHENTICATION_FAILED, "Expected one way of authentication, got several.")
    if authorization:
        return _parse_basic(authorization)
    if by_header:
        return Credentials(headers.get("x-clickhouse-user") or "default", headers.get("x-clickhouse-key", ""))
    return Credentials(params.get("user") or "default", params.get("password", ""))


def _parse_basic(authorization: str) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError(name)
    except (ValueError, binascii.Error):
        raise refuse(Code.AUTHENTICATION_FAILED, "Expected 'Basic' and name:password in base64.") from None
    return Credentials(name or "default", password)
