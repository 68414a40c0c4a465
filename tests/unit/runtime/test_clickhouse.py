"""One section for every ClickHouse client."""

from pydantic import SecretStr

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.settings import ClickhouseSettings


def test_writer_and_reader_are_two_users() -> None:
    """Each role connects with its own user and password."""
    section = ClickhouseSettings(password=SecretStr("w"), reader_user="ada", reader_password=SecretStr("r"))
    writer, reader = client_arguments(section, "writer"), client_arguments(section, "reader")
    assert (writer["username"], writer["password"]) == ("lotstream_writer", "w")
    assert (reader["username"], reader["password"]) == ("ada", "r")


def test_address_follows_the_url() -> None:
    """Scheme and port of the url decide; without a port the usual one of the scheme."""
    plain = client_arguments(ClickhouseSettings(url="http://127.0.0.1:9000"), "reader")
    assert (plain["host"], plain["port"], plain["secure"]) == ("127.0.0.1", 9000, False)
    secure = client_arguments(ClickhouseSettings(url="https://db.example/"), "reader")
    assert (secure["host"], secure["port"], secure["secure"], secure["verify"]) == ("db.example", 8443, True, True)
