"""The small parts of the embedded ClickHouse: errors, users, wishes, forms, formats, the cage."""

import base64
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, http_status, parse_error
from lotstream.deploy.embedded.clickhouse_form import parse_form
from lotstream.deploy.embedded.clickhouse_formats import content_type, joins
from lotstream.deploy.embedded.clickhouse_native import parse_type, revise, split_arguments
from lotstream.deploy.embedded.clickhouse_sandbox import landlock_version
from lotstream.deploy.embedded.clickhouse_users import Credentials, Role, User, Users, parse_credentials
from lotstream.deploy.embedded.clickhouse_wish import parse_wish


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (
            "Code: 60. DB::Exception: No table. (UNKNOWN_TABLE)",
            60,
            "Code: 60. DB::Exception: No table. (UNKNOWN_TABLE) (version 1)",
        ),
        (
            "Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format X. (UNKNOWN_FORMAT) (version 26.9.2.1)."
            " (UNKNOWN_FORMAT)",
            73,
            "Code: 73. DB::Exception: Unknown format X. (UNKNOWN_FORMAT) (version 1)",
        ),
        ("something else", 1002, "Code: 1002. DB::Exception: something else (UNKNOWN_EXCEPTION) (version 1)"),
    ],
)
def test_errors_are_unwrapped(message: str, code: int, text: str) -> None:
    """The engine's wrappings around an error are taken off, its code and name kept."""
    error = parse_error(message, version="1")
    assert (error.code, error.text) == (code, text)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (62, 400),
        (60, 404),
        (516, 403),
        (194, 401),
        (48, 501),
        (159, 408),
        (202, 429),
        (425, 413),
        (381, 411),
        (241, 500),
    ],
)
def test_statuses(code: int, status: int) -> None:
    """Codes answer with the server's HTTP statuses."""
    assert http_status(code) == HTTPStatus(status)


def test_users() -> None:
    """A user is known by name and password; a wrong name and a wrong password look the same."""
    users = Users([User("w", "ü:1", Role.WRITER), User("r", "", Role.READER)])
    assert users.authenticate(Credentials("w", "ü:1")) is Role.WRITER
    assert users.authenticate(Credentials("r", "")) is Role.READER
    for shown in (Credentials("w", "ü:2"), Credentials("w", ""), Credentials("nobody", ""), Credentials("", "")):
        with pytest.raises(ClickHouseError) as caught:
            users.authenticate(shown)
        assert caught.value.code == Code.AUTHENTICATION_FAILED
        assert caught.value.text.count(shown.name) >= 1


def test_credentials() -> None:
    """Credentials come in one of three ways, never in two."""
    basic = "Basic " + base64.b64encode(b"w:a:b").decode()
    assert parse_credentials({"authorization": basic}, {}) == Credentials("w", "a:b")
    assert parse_credentials({"x-clickhouse-user": "w", "x-clickhouse-key": "k"}, {}) == Credentials("w", "k")
    assert parse_credentials({}, {"user": "w", "password": "k"}) == Credentials("w", "k")
    assert parse_credentials({}, {}) == Credentials("default", "")
    with pytest.raises(ClickHouseError):
        parse_credentials({"authorization": basic}, {"user": "w"})


def test_wishes() -> None:
    """What is no transport parameter is a setting; readonly makes a request a reading one."""
    params = {"query": "x", "max_threads": "1", "param_a": "2", "": "", "session_id": "s", "readonly": "1"}
    wish = parse_wish({}, params, role=Role.WRITER, reading=False)
    assert (wish.settings, wish.session, wish.reading) == ({"max_threads": "1"}, "s", True)
    assert parse_wish({}, {"readonly": "0"}, role=Role.READER, reading=False).settings == {"readonly": "0"}
    assert not parse_wish({}, {"readonly": "0"}, role=Role.WRITER, reading=False).reading


def test_form() -> None:
    """Fields of a form are parameters; a file in it is refused."""
    part = b'--b\r\nContent-Disposition: form-data; name="param_a"\r\n\r\n\xc3\xbc\n \r\n'
    assert parse_form("multipart/form-data; boundary=b", part + b"--b--\r\n") == {"param_a": "ü\n "}
    file = b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\nx\r\n--b--\r\n'
    with pytest.raises(ClickHouseError, match="temporary table"):
        parse_form("multipart/form-data; boundary=b", file)
    with pytest.raises(ClickHouseError):
        parse_form("multipart/form-data", b"x")


def test_formats() -> None:
    """Formats without head and foot are streamed; every format has a media type."""
    assert joins("Native")
    assert not joins("JSON")
    assert content_type("CSV").startswith("text/csv")
    assert content_type("Parquet") == "application/octet-stream"


def test_type_arguments() -> None:
    """A type's arguments end at its own commas."""
    assert split_arguments("a Tuple(x UInt8, y String), Enum8('a,\\'(' = 1), String") == [
        "a Tuple(x UInt8, y String)",
        "Enum8('a,\\'(' = 1)",
        "String",
    ]
    assert split_arguments("") == []


def test_types_of_unknown_length() -> None:
    """A type that cannot be stepped over is refused by its name."""
    with pytest.raises(ClickHouseError, match="JSON"):
        parse_type("Array(JSON)")


def test_revised_blocks() -> None:
    """Every block gets its info, every column its kind of serialization, and no byte is lost."""
    plain = b"\x02\x02\x01a\x05UInt8\x07\x08\x01s\x06String\x01x\x02yz"
    info = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    revised = info + b"\x02\x02\x01a\x05UInt8\x00\x07\x08\x01s\x06String\x00\x01x\x02yz"
    assert list(revise(iter([plain + plain, plain]))) == [revised + revised, revised]
    assert list(revise(iter([b"\x01\x00\x01a\x05UInt8"]))) == [info + b"\x01\x00\x01a\x05UInt8\x00"]


CAGED = """
import os, socket, subprocess, sys
from pathlib import Path
from lotstream.deploy.embedded.clickhouse_sandbox import enter_sandbox
data, other = map(Path, sys.argv[1:])
listener = socket.create_server(("127.0.0.1", 0))
assert enter_sandbox(data)
(data / "own").write_text("x")
assert (data / "own").read_text() == "x"
Path("/proc/self/status").read_text()
file = os.memfd_create("m")
os.write(file, b"seen")
assert Path(f"/proc/self/fd/{file}").read_bytes() == b"seen"
os.close(os.open(data, os.O_TMPFILE | os.O_RDWR))
attempts = {
    "read": lambda: (other / "secret").read_text(),
    "list": lambda: list(other.iterdir()),
    "write": lambda: (other / "new").write_text("x"),
    "remove": lambda: (other / "secret").unlink(),
    "run": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "connect": lambda: socket.create_connection(listener.getsockname(), timeout=1),
    "hostname": lambda: Path("/etc/passwd").read_text(),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except PermissionError:
        continue
    print(name)
"""


def test_the_cage_holds(tmp_path: Path) -> None:
    """In its cage a process has its own data and nothing else: no file, command or connection."""
    if landlock_version() < 4:
        pytest.skip("this kernel has no Landlock that knows connections")
    for name in ("data", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "secret").write_text("x", encoding="ascii")
    command = [sys.executable, "-c", CAGED, str(tmp_path / "data"), str(tmp_path / "other")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
