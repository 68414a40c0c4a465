"""Where everything of a stack is."""

from lotstream.cli.context import console
from lotstream.deploy.embedded.rundir import published
from lotstream.runtime.settings import Settings


def dsn(settings: Settings) -> str:
    """What a ClickHouse client connects to, with the reading user."""
    host = settings.clickhouse.url.split("://")[1]
    secret = settings.clickhouse.reader_secret()
    scheme = "clickhouses" if settings.clickhouse.url.startswith("https") else "clickhouse"
    return f"{scheme}://{settings.clickhouse.reader_user}:{secret}@{host}/{settings.clickhouse.database}"


def gateway_url(settings: Settings) -> str:
    """The gateway that runs from this run directory, else the one that the settings describe."""
    facts = published(settings.run_dir, "gateway")
    if facts is not None:
        return str(facts["url"])
    gateway = settings.gateway
    scheme = "https" if gateway.cert_file else "http"
    return f"{scheme}://{gateway.host}:{gateway.port}"


def show_addresses(settings: Settings) -> None:
    """Where everything is, for people."""
    out = console()
    user = f"{settings.clickhouse.reader_user}:{settings.clickhouse.reader_secret()}"
    url = f"{settings.clickhouse.url}/?database={settings.clickhouse.database}"
    out.print(f"  gateway     http://{settings.gateway.host}:{settings.gateway.port}")
    out.print(f"  Kafka       {settings.kafka.bootstrap}")
    out.print(f"  ClickHouse  {dsn(settings)}", soft_wrap=True)
    out.print(f"              curl -u {user} '{url}' -d 'SELECT * FROM lot_master'", soft_wrap=True)  # noqa: S608 - shown
