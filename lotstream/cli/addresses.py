"""Where everything of a stack is."""

from lotstream.cli.context import console
from lotstream.runtime.settings import Settings


def dsn(settings: Settings) -> str:
    """What a ClickHouse client connects to, with the reading user."""
    host = settings.clickhouse.url.split("://")[1]
    secret = settings.clickhouse.reader_secret()
    scheme = "clickhouses" if settings.clickhouse.url.startswith("https") else "clickhouse"
    return f"{scheme}://{settings.clickhouse.reader_user}:{secret}@{host}/{settings.clickhouse.database}"


def show_addresses(settings: Settings) -> None:
    """Where everything is, for people."""
    out = console()
    user = f"{settings.clickhouse.reader_user}:{settings.clickhouse.reader_secret()}"
    url = f"{settings.clickhouse.url}/?database={settings.clickhouse.database}"
    out.print(f"  gateway     http://{settings.gateway.host}:{settings.gateway.port}")
    out.print(f"  Kafka       {settings.kafka.bootstrap}")
    out.print(f"  ClickHouse  {dsn(settings)}", soft_wrap=True)
    out.print(f"              curl -u {user} '{url}' -d 'SELECT * FROM lot_master'", soft_wrap=True)  # noqa: S608 - shown
