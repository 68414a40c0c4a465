"""The certificate of the loopback door."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from lotstream.deploy.embedded.kafka_tls import VALID, provide_certificate

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_clients_can_verify_it_strictly(tmp_path: Path) -> None:
    """A TLS client that trusts `ca_file` accepts the server by address and by name, by the strict rules of RFC 5280."""
    certificate = provide_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.key_store)
    for name in ("127.0.0.1", "localhost"):
        client = ssl.create_default_context(cafile=str(certificate.ca_file))
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = client.wrap_bio(to_client, to_server, server_hostname=name)
        theirs = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(3):
            for side in (ours, theirs):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        assert ours.cipher() is not None
        assert ours.getpeercert()


def test_it_stays_until_it_nears_its_end(tmp_path: Path) -> None:
    """The certificate is made once, and again within its last month."""
    first = provide_certificate(tmp_path, now=NOW).ca_file.read_bytes()
    assert provide_certificate(tmp_path, now=NOW + VALID - timedelta(days=31)).ca_file.read_bytes() == first
    later = provide_certificate(tmp_path, now=NOW + VALID - timedelta(days=29)).ca_file.read_bytes()
    assert later != first
    assert x509.load_pem_x509_certificate(later).not_valid_after_utc > NOW + VALID


def test_key_is_private(tmp_path: Path) -> None:
    """Only the user can read the server's key."""
    assert provide_certificate(tmp_path).key_store.stat().st_mode & 0o077 == 0
