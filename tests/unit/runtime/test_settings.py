"""The settings: where they come from, what they refuse, what they never show."""

from pathlib import Path

import pytest

from lotstream.runtime.settings import (
    KafkaSettings,
    Retention,
    SaslMechanism,
    SecurityProtocol,
    Settings,
    SettingsInvalid,
    TopicSettings,
    known_keys,
    load_settings,
)

SASL = {
    "LOTSTREAM_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "LOTSTREAM_KAFKA__USERNAME": "ada",
    "LOTSTREAM_KAFKA__PASSWORD": "s3cret-word",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads a lotstream.toml of the checkout."""
    monkeypatch.chdir(tmp_path)


def refused(env: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(file, env)
    return str(caught.value)


def test_defaults_listen_on_this_machine_only() -> None:
    """Without any setting every server listens on 127.0.0.1."""
    settings = load_settings(None, {})
    assert (settings.gateway.host, settings.metrics.host) == ("127.0.0.1", "127.0.0.1")
    assert settings.topics.partitions == 24


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A variable replaces one key of the file and leaves its neighbours."""
    file = tmp_path / "x.toml"
    file.write_text('[kafka]\nbootstrap = "a:1"\n[topics]\nprefix = "p."\npartitions = 4\n')
    settings = load_settings(file, {"LOTSTREAM_TOPICS__PARTITIONS": "8", "PATH": "/bin"})
    assert (settings.kafka.bootstrap, settings.topics.prefix, settings.topics.partitions) == ("a:1", "p.", 8)


def test_file_is_found_by_variable_and_by_place(tmp_path: Path) -> None:
    """LOTSTREAM_CONFIG names the file; without it lotstream.toml of the working directory is read."""
    (tmp_path / "lotstream.toml").write_text('run_dir = "here"\n')
    other = tmp_path / "other.toml"
    other.write_text('run_dir = "there"\n')
    assert load_settings(None, {}).run_dir == Path("here")
    assert load_settings(None, {"LOTSTREAM_CONFIG": str(other)}).run_dir == Path("there")


@pytest.mark.parametrize(
    ("env", "near"),
    [
        ({"LOTSTREAM_KAFKA__BOOTSTRP": "a:1"}, "kafka.bootstrap"),
        ({"LOTSTREAM_RUNDIR": "x"}, "run_dir"),
        ({"LOTSTREAM_GATEWAY__TOKEN_FILE": "x"}, "gateway.tokens_file"),
        ({"LOTSTREAM_KAFKAA__BOOTSTRAP": "x"}, "kafka"),
    ],
)
def test_unknown_key_names_the_nearest(env: dict[str, str], near: str) -> None:
    """A misspelt key is an error that names the key that was meant."""
    assert f"the nearest is '{near}'" in refused(env)


def test_unknown_key_below_a_value_is_refused(tmp_path: Path) -> None:
    """A variable below a plain value is an error, not an exception of another kind."""
    file = tmp_path / "x.toml"
    file.write_text('run_dir = "a"\n')
    assert "LOTSTREAM_RUN_DIR__X" in refused({"LOTSTREAM_RUN_DIR__X": "1"}, file)


def test_addresses_of_contract_suites_are_no_settings() -> None:
    """LOTSTREAM_TEST_… belongs to the tests and is passed over."""
    assert load_settings(None, {"LOTSTREAM_TEST_CLICKHOUSE": "http://127.0.0.1:8123"}) == Settings()


@pytest.mark.parametrize("text", ["[kafka", "kafka = 1", "\xff"])
def test_broken_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """A file that is no TOML, or of another shape, is refused with a message for people."""
    file = tmp_path / "bad.toml"
    file.write_bytes(text.encode("latin-1"))
    assert "Expected" in refused({}, file)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that was asked for and is not there is an error, never the defaults."""
    assert "FileNotFoundError" in refused({}, tmp_path / "none.toml")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
@pytest.mark.parametrize(("section", "file"), [("GATEWAY", "tokens_file"), ("METRICS", "token_file")])
def test_listening_beyond_the_machine_needs_credentials(host: str, section: str, file: str) -> None:
    """Every server refuses a reachable address without tokens, and takes it with them."""
    env = {f"LOTSTREAM_{section}__HOST": host}
    assert f"Expected {file}" in refused(env)
    load_settings(None, env | {f"LOTSTREAM_{section}__{file.upper()}": "tokens"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_credentials(host: str) -> None:
    """Every way to say this machine is taken without tokens."""
    assert load_settings(None, {"LOTSTREAM_GATEWAY__HOST": host}).gateway.host == host


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LOTSTREAM_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "Expected username and password"),
        ({"LOTSTREAM_KAFKA__USERNAME": "ada"}, "Expected a SASL security_protocol"),
        ({"LOTSTREAM_KAFKA__CA_FILE": "ca.pem"}, "Expected SSL or SASL_SSL"),
        (SASL | {"LOTSTREAM_KAFKA__PASSWORD_FILE": "x"}, "got both"),
        ({"LOTSTREAM_KAFKA__BOOTSTRAP": "nowhere"}, "Expected host:port"),
        ({"LOTSTREAM_KAFKA__BOOTSTRAP": "a:70000"}, "Expected host:port"),
        ({"LOTSTREAM_CLICKHOUSE__URL": "127.0.0.1:8123"}, "Expected http(s)://host:port"),
        ({"LOTSTREAM_CLICKHOUSE__URL": "http://a:b@h:1"}, "Expected http(s)://host:port"),
        ({"LOTSTREAM_CLICKHOUSE__CA_FILE": "ca.pem"}, "Expected an https url"),
        ({"LOTSTREAM_GATEWAY__CERT_FILE": "c.pem"}, "Expected cert_file and key_file together"),
        ({"LOTSTREAM_GATEWAY__PORT": "http"}, "gateway.port: Expected a valid integer"),
        ({"LOTSTREAM_TOPICS__PREFIX": "a b"}, "topics.prefix"),
        ({"LOTSTREAM_SINK__BATCH_ROWS": "0"}, "sink.batch_rows: Expected greater than or equal to 1, got '0'."),
        ({"LOTSTREAM_LOG": "json"}, "log: Expected"),
    ],
)
def test_what_cannot_work_is_refused(env: dict[str, str], expected: str) -> None:
    """Contradictions and values out of bounds are refused at the start, by key."""
    assert expected in refused(env)


def test_no_message_repeats_a_secret() -> None:
    """Whatever is wrong beside a secret, the message does not show it."""
    for extra in ({"LOTSTREAM_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT"}, {"LOTSTREAM_KAFKA__USERNAME": ""}):
        assert "s3cret-word" not in refused(SASL | extra)
    assert "hunter2" not in refused({"LOTSTREAM_CLICKHOUSE__URL": "http://a:hunter2@h:1"})
    assert "hunter2" not in refused({"LOTSTREAM_KAFKA__PASWORD": "hunter2"})
    assert "hunter2" not in refused({"LOTSTREAM_KAFKA__PASSWORD__X": "hunter2"})


def test_shown_and_repr_mask_secrets() -> None:
    """The start-up log and a stray print show no secret, and the client still gets it."""
    settings = load_settings(None, SASL)
    assert "s3cret-word" not in f"{settings.shown()} {settings!r}"
    assert settings.shown()["kafka"]["username"] == "ada"
    assert settings.kafka.secret() == "s3cret-word"
    assert settings.kafka.sasl_mechanism is SaslMechanism.SCRAM_SHA_512


def test_secret_is_read_from_its_file(tmp_path: Path) -> None:
    """A secret file is read when needed, without its final line break; a bad one is named."""
    file = tmp_path / "word"
    file.write_text(" from file \n")
    kafka = KafkaSettings(security_protocol=SecurityProtocol.SASL_SSL, username="ada", password_file=file)
    assert kafka.secret() == " from file "
    file.write_text("\n")
    with pytest.raises(SettingsInvalid, match="empty file"):
        kafka.secret()
    file.unlink()
    with pytest.raises(SettingsInvalid, match="FileNotFoundError"):
        kafka.secret()


def test_settings_cannot_be_changed() -> None:
    """The tree is a value."""
    with pytest.raises(ValueError):
        Settings().topics.prefix = "x"  # type: ignore[misc]


def test_names_and_retention() -> None:
    """Topics, groups and retention follow prefix and days; nothing is kept for ever by accident."""
    settings = load_settings(None, {"LOTSTREAM_TOPICS__PREFIX": "p7.", "LOTSTREAM_TOPICS__READS_DAYS": "2"})
    assert settings.topics.name("reads.v1") == "p7.reads.v1"
    assert settings.group("smooth") == "lotstream.p7.smooth"
    assert settings.topics.retention_ms(Retention.READS) == 172_800_000
    assert settings.topics.retention_ms(Retention.FACTS) == -1
    assert all(isinstance(TopicSettings().retention_ms(kept), int) for kept in Retention)


def test_every_setting_is_described() -> None:
    """The settings page can be generated: no field without its meaning."""
    assert len(known_keys()) == len(set(known_keys())) > 40
    for section in Settings.model_fields.values():
        fields = getattr(section.annotation, "model_fields", None)
        for field in fields.values() if fields else [section]:
            assert field.description and field.description.endswith("."), field


def test_the_path_of_the_webhook_is_not_shown() -> None:
    """An address that carries a token is shown without it."""
    env = {"LOTSTREAM_WEBHOOK__URL": "https://alerts.example/hooks/t0ken", "LOTSTREAM_WEBHOOK__SECRET_FILE": "/x"}
    settings = load_settings(None, env)
    assert settings.webhook.url == "https://alerts.example/hooks/t0ken"
    assert settings.shown()["webhook"]["url"] == "https://alerts.example/..."
