"""One section, two client families."""

import ssl
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

from lotstream.runtime.kafka import access, client_config, client_log
from lotstream.runtime.settings import KafkaSettings, SaslMechanism, SecurityProtocol, SettingsInvalid


def sasl(protocol: SecurityProtocol = SecurityProtocol.SASL_SSL) -> KafkaSettings:
    return KafkaSettings(
        bootstrap="127.0.0.1:1, 127.0.0.1:2",
        security_protocol=protocol,
        sasl_mechanism=SaslMechanism.SCRAM_SHA_256,
        username="ada",
        password=SecretStr("s3cret-word"),
    )


@pytest.mark.parametrize("kafka", [KafkaSettings(), sasl(), sasl(SecurityProtocol.SASL_PLAINTEXT)])
def test_librdkafka_takes_the_configuration(kafka: KafkaSettings) -> None:
    """Every key and value is one that librdkafka itself accepts."""
    Producer({**client_config(kafka, client_id="t"), "log_level": 0})


def test_both_families_say_the_same() -> None:
    """Brokers, protocol, mechanism, user and password are the same in both forms."""
    config, shape = client_config(sasl(), client_id="gateway"), access(sasl())
    assert config["bootstrap.servers"] == ",".join(shape.brokers) == "127.0.0.1:1,127.0.0.1:2"
    assert config["security.protocol"] == shape.security_protocol == "SASL_SSL"
    assert config["sasl.mechanism"] == shape.sasl_mechanism == "SCRAM-SHA-256"
    assert config["sasl.username"] == shape.username == "ada"
    assert config["sasl.password"] == shape.password == "s3cret-word"
    assert config["client.id"] == "gateway"


def test_plaintext_has_no_credentials() -> None:
    """Without SASL and TLS neither form carries any of theirs."""
    shape = access(KafkaSettings())
    assert (shape.sasl_mechanism, shape.username, shape.password, shape.ssl_context) == (None, None, None, None)
    assert not [key for key in client_config(KafkaSettings(), client_id="x") if key.startswith(("sasl", "ssl"))]


def test_tls_checks_host_and_certificate() -> None:
    """TLS is never opened without checking who answers."""
    context = access(KafkaSettings(security_protocol=SecurityProtocol.SSL)).ssl_context
    assert context is not None
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED


def test_bad_ca_file_is_named(tmp_path: Path) -> None:
    """A certificate file that is missing or no PEM is refused with its name."""
    for file in (tmp_path / "none.pem", tmp_path / "bad.pem"):
        (tmp_path / "bad.pem").write_text("no certificate")
        with pytest.raises(SettingsInvalid, match=file.name):
            access(KafkaSettings(security_protocol=SecurityProtocol.SSL, ca_file=file))


def test_repr_shows_no_secret() -> None:
    """A stray print of the access shows no password."""
    assert "s3cret-word" not in repr(access(sasl()))


def test_an_outage_is_not_told_twenty_times_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """Of what librdkafka repeats, each kind is told once in a while; other kinds beside it are."""
    log = client_log("test_kafka")
    for number in range(50):
        log.error("FAIL [client#%d]: Connection refused", number)
    log.warning("GETPID [client#1]: retrying")
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["FAIL", "GETPID"]
