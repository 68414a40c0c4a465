"""docker-compose.yml against the code: containers do not run here, so every word in it is held against its source."""

import json
import re
import subprocess
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from pydantic_core import from_json

from lotstream import __version__
from lotstream.cli import COMMANDS
from lotstream.cli.main import lotstream as program
from lotstream.deploy.embedded.kafka_config import SMALL
from lotstream.deploy.embedded.kafka_storage import KAFKA_VERSION
from lotstream.readers.site_file import read_site_file
from lotstream.readers.tokens import read_tokens
from lotstream.runtime.settings import Settings, known_keys, load_settings
from lotstream.sinks.run import sinks_named
from lotstream.streams.run import STAGES, stages_named

OURS = ("topics", "tables", "gateway", "register", "smooth", "resolve", "locate", "sink", "ask")
SERVERS = ("gateway", "register", "smooth", "resolve", "locate", "sink")

# what the Compose specification allows of the keys used here
DURATION = {"type": "string", "pattern": r"^(\d+(h|m|s|ms|us))+$"}
STRINGS = {"type": "array", "items": {"type": "string"}}
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "image": {"type": "string", "pattern": r"^[a-z0-9./_-]+:[A-Za-z0-9._-]+$"},
        "build": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"context": {"type": "string"}, "dockerfile": {"type": "string"}},
        },
        "init": {"type": "boolean"},
        "read_only": {"type": "boolean"},
        "user": {"type": "string", "pattern": r"^\d+:\d+$"},
        "cap_drop": STRINGS,
        "security_opt": STRINGS,
        "tmpfs": STRINGS,
        "networks": STRINGS,
        "profiles": STRINGS,
        "secrets": STRINGS,
        "volumes": STRINGS,
        "command": STRINGS,
        "entrypoint": STRINGS,
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$"}},
        "expose": {"type": "array", "items": {"type": "string", "pattern": r"^\d+$"}},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "restart": {"type": "string", "pattern": r"^(no|always|unless-stopped|on-failure(:\d+)?)$"},
        "stop_grace_period": DURATION,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test", "interval", "timeout", "retries"],
            "properties": {
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}], "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer"},
            },
        },
        "ulimits": {"type": "object"},
        "logging": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "driver": {"type": "string"},
                "options": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "deploy": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "resources": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "limits": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                "cpus": {"type": "string"},
                                "memory": {"type": "string", "pattern": r"^\d+[kmg]$"},
                            },
                        }
                    },
                }
            },
        },
    },
}
FILE = {
    "type": "object",
    "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE},
        "networks": {"type": "object"},
        "volumes": {"type": "object"},
        "secrets": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {"file": {"type": "string"}},
            },
        },
    },
}


def own_environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in service.get("environment", {}).items() if name.startswith("LOTSTREAM_")}


def settings_of(service: dict[str, Any], tmp_path: Path) -> Settings:
    """The settings that a container would load, with its mounted secrets in a folder of the test."""
    env = {}
    for name, value in own_environment(service).items():
        if value.startswith("/run/secrets/"):
            secret = tmp_path / Path(value).name
            secret.write_text("example 0123\n")
            value = str(secret)
        env[name] = value
    return load_settings(None, env)


def test_the_file_is_compose(compose: dict[str, Any]) -> None:
    """Every key and value is one of the Compose specification."""
    jsonschema.validate(compose, FILE)


def test_everything_referred_to_is_there(compose: dict[str, Any], services: dict[str, Any], root: Path) -> None:
    """Networks, volumes, secrets, services and files that a service names exist, and none is idle."""
    used: dict[str, set[str]] = {"networks": set(), "volumes": set(), "secrets": set()}
    for service in services.values():
        used["networks"] |= set(service.get("networks", ()))
        used["secrets"] |= set(service.get("secrets", ()))
        for mount in service.get("volumes", ()):
            source = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", mount).split(":")[0]
            if source.startswith("./"):
                assert (root / source).exists(), source
            else:
                used["volumes"].add(source)
        assert set(service.get("depends_on", ())) <= set(services)
        if "build" in service:
            assert (root / service["build"]["dockerfile"]).is_file()
    for kind, names in used.items():
        assert names == set(compose[kind]), kind


def test_what_is_waited_for_can_happen(services: dict[str, Any]) -> None:
    """A service waited for until healthy has a health check; one waited for until done has an end."""
    for service in services.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            if wanted["condition"] == "service_completed_successfully":
                assert services[name]["restart"].startswith("on-failure")


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str, services: dict[str, Any], tmp_path: Path) -> None:
    """Each LOTSTREAM_ variable is a known key, and all of a service's together are valid settings."""
    known = {f"LOTSTREAM_{key.replace('.', '__').upper()}" for key in known_keys()}
    assert set(own_environment(services[name])) <= known
    settings_of(services[name], tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_the_program(name: str, services: dict[str, Any]) -> None:
    """Each command, subcommand, stage and sink exists."""
    first, *rest = services[name]["command"]
    assert first in COMMANDS
    command = program.get_command(click.Context(program), first)
    assert command is not None
    if isinstance(command, click.Group):
        assert rest[0] in command.commands
    elif first == "worker":
        assert stages_named(rest) == [name]
    elif first == "sink":
        assert sinks_named(rest)
    else:
        assert not rest


def test_every_stage_has_a_service(services: dict[str, Any]) -> None:
    """Each stage runs in a service of its own, so that it can be scaled alone."""
    assert all(services[stage]["command"] == ["worker", stage] for stage in STAGES)
    assert not any("container_name" in services[stage] or "ports" in services[stage] for stage in STAGES)


@pytest.mark.parametrize("name", SERVERS)
def test_health_checks_ask_readyz(name: str, services: dict[str, Any], root: Path) -> None:
    """The health check asks /readyz of the process under the name by which it publishes itself."""
    *_, module, process = services[name]["healthcheck"]["test"]
    assert (root / Path(*module.split(".")[1:])).with_suffix(".py").is_file()
    assert process == services[name]["command"][0]


def test_ports_are_those_of_the_settings(services: dict[str, Any], tmp_path: Path) -> None:
    """What is exposed is listened at, what is published is exposed, and only gateway and Grafana are published."""
    gateway = settings_of(services["gateway"], tmp_path).gateway
    assert gateway.host == "0.0.0.0"
    assert str(gateway.port) in services["gateway"]["expose"]
    assert services["gateway"]["ports"] == [f"127.0.0.1:${{GATEWAY_PORT:-{gateway.port}}}:{gateway.port}"]
    for name in SERVERS[1:]:
        metrics = settings_of(services[name], tmp_path).metrics
        assert services[name]["expose"] == [str(metrics.port)]
        assert metrics.host == "0.0.0.0" and metrics.token_file is not None
    assert {name for name, service in services.items() if "ports" in service} == {"gateway", "grafana"}


def test_addresses_are_services(services: dict[str, Any], tmp_path: Path) -> None:
    """Brokers and history are asked under the names and ports at which their containers listen."""
    settings = settings_of(services["sink"], tmp_path)
    assert settings.kafka.bootstrap == "kafka:9092" and "9092" in services["kafka"]["expose"]
    assert services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].endswith("//" + settings.kafka.bootstrap)
    assert settings.clickhouse.url == "http://clickhouse:8123" and "8123" in services["clickhouse"]["expose"]


def test_our_containers_are_confined(services: dict[str, Any]) -> None:
    """Non-root, a read-only file system with tmpfs for the run directory, no capabilities, bounded."""
    for name in OURS:
        service = services[name]
        assert service["read_only"] and service["user"] != "0:0" and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert any(mount.startswith("/run/lotstream:") for mount in service["tmpfs"])
        assert service["image"] == f"lotstream:{__version__}"
    for name, service in services.items():
        if name not in ("topics", "tables", "ask"):
            assert service["restart"] == "unless-stopped", name
            assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
            assert "healthcheck" in service, name


def test_secrets_are_files(compose: dict[str, Any], services: dict[str, Any], root: Path) -> None:
    """No variable holds a secret; every secret's file is made by the script, kept out of git and out of the image."""
    script = (root / "deploy" / "secrets.sh").read_text()
    for name, secret in compose["secrets"].items():
        assert secret["file"] == f"./secrets/{name}"
        assert re.search(rf"\b{name}\b", script), name
    assert "secrets/" in (root / ".gitignore").read_text().splitlines()
    assert (root / ".dockerignore").read_text().splitlines()[1] == "*"
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET", variable):
                assert value.startswith("/run/secrets/"), (name, variable)
                assert Path(value).name in service["secrets"], (name, variable)


def test_tags_are_pinned(services: dict[str, Any], root: Path) -> None:
    """Every image has a whole version; Kafka's is the one that runs embedded, so is Python that of the project."""
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+\.\d+(\.\d+)?$", service["image"]), name
    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    dockerfile = (root / "deploy" / "Dockerfile").read_text()
    base = re.search(r"^ARG PYTHON=python:(\d+)\.(\d+)\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert base is not None and project["requires-python"] == f">={base[1]}.{base[2]}"


def test_clickhouse_is_a_long_term_release(services: dict[str, Any]) -> None:
    """ClickHouse supports its releases of March and August for a year."""
    version = services["clickhouse"]["image"].split(":")[1].split(".")
    assert version[1] in ("3", "8")


def test_the_broker_is_set_up_as_the_embedded_one(services: dict[str, Any]) -> None:
    """What both brokers are told is the same, waits and sizes aside."""
    told = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in services["kafka"]["environment"].items()
        if name.startswith("KAFKA_")
    }
    both = set(told) & set(SMALL) - {"group.initial.rebalance.delay.ms"}
    assert "auto.create.topics.enable" in both and "offsets.topic.replication.factor" in both
    assert {name: told[name] for name in both} == {name: SMALL[name] for name in both}


def test_kafkas_cluster_id_is_one(services: dict[str, Any]) -> None:
    """A cluster id is 16 bytes in URL-safe base64 without padding."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", services["kafka"]["environment"]["CLUSTER_ID"])


def test_clickhouse_users_are_those_of_the_settings(services: dict[str, Any], root: Path) -> None:
    """Writer and reader of the settings are the server's users, with digests that the start script provides."""
    defaults = Settings().clickhouse
    folder = root / "deploy" / "clickhouse"
    tree = ElementTree.parse(folder / "users.d" / "lotstream.xml")
    users = tree.find("users")
    assert users is not None
    assert {user.tag for user in users} == {defaults.user, defaults.reader_user}
    script = (folder / "start.sh").read_text()
    for user in users:
        digest = user.find("password_sha256_hex")
        assert digest is not None and f"{digest.attrib['from_env']}=$(digest clickhouse_" in script
        profile = user.findtext("profile")
        assert tree.find(f"profiles/{profile}") is not None
    assert tree.findtext(f"profiles/{defaults.reader_user}/readonly") == "2"
    grants = [query.text or "" for query in tree.iter("query")]
    assert f"GRANT ALL ON {defaults.database}.*" in grants and f"GRANT SELECT ON {defaults.database}.*" in grants
    used = set(re.findall(r"digest (\w+)\)", script))
    assert used == set(services["clickhouse"]["secrets"])
    mounted = {mount.split(":")[1] for mount in services["clickhouse"]["volumes"]}
    assert services["clickhouse"]["entrypoint"][-1] in mounted


def test_the_example_site_is_valid(root: Path, services: dict[str, Any]) -> None:
    """The mounted site file is one, and lies where the gateway looks."""
    site = read_site_file(root / "deploy" / "site.toml")
    assert site.read_points and site.antennas
    target = services["gateway"]["environment"]["LOTSTREAM_GATEWAY__SITE_FILE"]
    assert any(f":{target}:" in mount for mount in services["gateway"]["volumes"])


def test_the_secrets_script_makes_every_secret(compose: dict[str, Any], root: Path, tmp_path: Path) -> None:
    """The script makes each secret once, in a closed folder; its tokens file is what the gateway reads."""
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "secrets.sh"
    script.write_text((root / "deploy" / "secrets.sh").read_text())
    for _ in range(2):
        ran = subprocess.run(["/bin/sh", script], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    made = {path.name: path.read_text().strip() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(compose["secrets"])
    assert all(len(text.split()[-1]) == 48 for text in made.values()) and len(set(made.values())) == len(made)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    source, token = made["gateway_tokens"].split()
    assert read_tokens(tmp_path / "secrets" / "gateway_tokens").source_of(f"Bearer {token}") == source


def test_the_dashboard_is_where_grafana_looks(services: dict[str, Any], root: Path) -> None:
    """The dashboard's folder is mounted at the provider's path, and the home dashboard is in it."""
    provider = (root / "deploy/grafana/provisioning/dashboards/lotstream.yml").read_text()
    path = re.search(r"path: (\S+)", provider)
    assert path is not None
    assert any(mount.split(":")[1] == path[1] for mount in services["grafana"]["volumes"])
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(path[1])
    assert json.loads((root / "deploy/grafana/dashboards" / Path(home).name).read_text())["uid"]


def test_the_image_copies_what_the_wheel_needs(root: Path) -> None:
    """Every room, and every file that the build reads, is copied and not ignored; installs are pinned with hashes."""
    dockerfile = (root / "deploy" / "Dockerfile").read_text()
    copied = {
        word.rstrip("/") for line in re.findall(r"^COPY ([^-].*) \S+$", dockerfile, re.M) for word in line.split()
    }
    allowed = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    rooms = {path.name for path in (root / "lotstream").iterdir() if path.is_symlink()}
    assert rooms | {"lotstream", "pyproject.toml", "README.md", "LICENSE"} <= copied
    assert {path.split("/")[0] for path in copied} <= allowed
    for line in dockerfile.replace("\\\n", "").splitlines():
        for install in re.findall(r"pip install[^&]*", line):
            assert "--require-hashes" in install or "--no-index" in install
    assert re.search(r"^USER 10001:10001$", dockerfile, re.M)
    assert from_json(re.search(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[1]) == ["lotstream"]  # type: ignore[index]
