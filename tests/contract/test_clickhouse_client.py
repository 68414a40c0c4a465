"""clickhouse-connect's ordinary HTTP client: nothing in it knows which server it speaks to."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, StreamFailureError
from clickhouse_connect.driver.external import ExternalData

EPC = 0x3034257BF7194E4000001A85_00000000
T0 = datetime(2026, 11, 23, 10, 20, 30, 123456, tzinfo=UTC)
Connect = Callable[..., Client]


@pytest.fixture
def connect(target: Any) -> Iterator[Connect]:
    """A factory of clients, closed at the end of the test."""
    clients: list[Client] = []

    def make(**options: Any) -> Client:
        login = options.pop("login", target.writer)
        client = clickhouse_connect.get_client(
            interface="http",
            host=target.host,
            port=target.port,
            username=login.name,
            password=login.password,
            database=target.database,
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def facts(connect: Connect) -> Iterator[str]:
    """A table with the types that the product uses."""
    client = connect()
    client.command(
        "CREATE TABLE facts (lot_key UInt64, tag String, epc UInt128, at DateTime64(6, 'UTC'), amount Decimal(18, 6),"
        " place LowCardinality(String), path Array(String), version Array(Int64), parent Nullable(String),"
        " extra Map(String, String)) ENGINE = MergeTree ORDER BY (lot_key, tag)"
    )
    yield "facts"
    client.command("DROP TABLE facts")


def row(number: int) -> list[Any]:
    return [
        number % 7,
        f"01/09506000134352/21/{number}",
        EPC + number,
        T0 + timedelta(microseconds=number),
        Decimal(number) / 8,
        f"dock-{number % 3}",
        ["a", "ü'\n"],
        [1, -number],
        None if number % 2 else "00/395060001343520001",
        {"k": str(number)},
    ]


@pytest.mark.parametrize("compress", [False, True, "lz4", "zstd", "gzip"])
def test_rows_round_trip(connect: Connect, facts: str, compress: bool | str) -> None:
    """Rows of every type come back as they went, under every compression."""
    client = connect(compress=compress)
    rows = [row(number) for number in range(500)]
    assert client.insert(facts, rows).written_rows == 500
    found = client.query(f"SELECT * FROM {facts} ORDER BY epc", tz_mode="aware").result_rows
    assert [list(one) for one in found] == rows


def test_parameters_are_exact(connect: Connect, facts: str) -> None:
    """Bound values of all types find exactly their rows, also 128-bit ones in an array."""
    client = connect()
    client.insert(facts, [row(number) for number in range(100)])
    sql = (
        f"SELECT count() FROM {facts} WHERE epc IN {{epcs:Array(UInt128)}} AND at >= {{at:DateTime64(6)}}"
        " AND amount <= {amount:Decimal(18, 6)} AND path = {path:Array(String)}"
    )
    parameters = {"epcs": [EPC + 3, EPC + 4], "at": T0, "amount": Decimal("0.375"), "path": ["a", "ü'\n"]}
    assert client.query(sql, parameters=parameters).result_rows == [(1,)]


def test_parameters_in_the_form(connect: Connect) -> None:
    """The client may send its parameters as a form."""
    client = connect(form_encode_query_params=True)
    many = list(range(20_000))
    sql = "SELECT length({ids:Array(UInt64)}), {name:String}"
    assert client.query(sql, parameters={"ids": many, "name": "it's"}).result_rows == [(20_000, "it's")]


def test_large_insert(connect: Connect, facts: str) -> None:
    """200,000 rows in one insert arrive, each once."""
    client = connect()
    columns = ["lot_key", "tag", "epc"]
    data = [list(range(200_000)), [f"t{number}" for number in range(200_000)], [EPC + n for n in range(200_000)]]
    assert client.insert(facts, data, column_names=columns, column_oriented=True).written_rows == 200_000
    counted = client.query(f"SELECT count(), uniqExact(epc), max(epc) FROM {facts}").result_rows
    assert counted == [(200_000, 200_000, EPC + 199_999)]


def test_streams(connect: Connect) -> None:
    """A million rows come as a stream of blocks."""
    client = connect()
    with client.query_row_block_stream("SELECT number, toString(number) FROM numbers(1000000)") as stream:
        blocks = [(len(block), block[0][0]) for block in stream]
    assert sum(size for size, _ in blocks) == 1_000_000
    assert len(blocks) > 1


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_failure_in_a_stream(connect: Connect, compress: bool | str) -> None:
    """A query that fails in the middle of its stream raises the server's error."""
    client = connect(compress=compress)
    sql = "SELECT number, throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 10000"
    with (
        pytest.raises((StreamFailureError, DatabaseError), match="throwIf"),
        client.query_row_block_stream(sql) as stream,
    ):
        for _ in stream:
            pass
    assert client.query("SELECT 1").result_rows == [(1,)]


def test_raw_and_arrow(connect: Connect, facts: str) -> None:
    """Raw inserts and queries, and Arrow, are ClickHouse's formats."""
    client = connect()
    client.raw_insert(facts, ["lot_key", "tag"], b"1,a\n2,b\n", fmt="CSV")
    assert client.raw_query(f"SELECT lot_key, tag FROM {facts} ORDER BY tag", fmt="CSV") == b'1,"a"\n2,"b"\n'
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"lot_key": arrow.array([3], arrow.uint64()), "tag": ["c"]})
    client.insert_arrow(facts, table)
    assert client.query_arrow(f"SELECT lot_key FROM {facts} ORDER BY lot_key").column(0).to_pylist() == [1, 2, 3]


def test_command_answers(connect: Connect) -> None:
    """A command gives back its value, and nothing for a statement without one."""
    client = connect()
    assert client.command("SELECT 5") == 5
    assert client.command("EXISTS TABLE no_such_table") == 0
    assert client.ping()


@pytest.mark.parametrize(
    ("sql", "code"),
    [("SELECT * FROM nope", 60), ("SELCT 1", 62), ("SELECT toUInt8('x')", 6), ("SELECT x()", 46)],
)
def test_errors_carry_their_code(connect: Connect, sql: str, code: int) -> None:
    """The client sees the code and the name of an error."""
    with pytest.raises(DatabaseError) as caught:
        connect().query(sql)
    assert caught.value.code == code


def test_settings_of_a_query(connect: Connect) -> None:
    """A setting of one query is not one of the next, with a session and without."""
    for client in (connect(), connect(autogenerate_session_id=False)):
        sql = "SELECT getSetting('max_block_size')"
        before = client.query(sql).result_rows
        assert client.query(sql, settings={"max_block_size": 777}).result_rows == [(777,)]
        assert client.query(sql).result_rows == before


def test_temporary_table_in_a_session(connect: Connect) -> None:
    """A client with a session works on its temporary tables."""
    client = connect(session_id=f"client-{id(connect)}")
    client.command("CREATE TEMPORARY TABLE wanted (tag String)")
    client.insert("wanted", [["a"], ["b"]], database="")
    assert client.query("SELECT count() FROM wanted").result_rows == [(2,)]


def test_tokens_deduplicate(connect: Connect, table: str) -> None:
    """An insert that is sent again with its token has one effect."""
    client = connect()
    for token in ("one", "one", "two"):
        client.insert(table, [[1, "a"]], settings={"insert_deduplication_token": token})
    assert client.query(f"SELECT count() FROM {table}").result_rows == [(2,)]


def test_wrong_password(connect: Connect, target: Any) -> None:
    """A wrong password is refused when the client connects."""
    wrong = type(target.writer)(target.writer.name, "wrong")
    with pytest.raises((DatabaseError, OperationalError), match="516"):
        connect(login=wrong)


def test_reader_reads(connect: Connect, reader: Any, table: str) -> None:
    """The reading user reads, sets settings, and changes nothing."""
    connect().insert(table, [[1, "a"]])
    client = connect(login=reader)
    assert client.query(f"SELECT * FROM {table}", settings={"max_threads": 1}).result_rows == [(1, "a")]
    for change in (
        lambda: client.insert(table, [[2, "b"]]),
        lambda: client.command(f"DROP TABLE {table}"),
        lambda: client.command(f"TRUNCATE TABLE {table}"),
        lambda: client.command(f"ALTER TABLE {table} DELETE WHERE 1"),
    ):
        with pytest.raises(DatabaseError):
            change()
    assert client.query(f"SELECT count() FROM {table}").result_rows == [(1,)]


def test_twenty_clients_at_once(connect: Connect, table: str) -> None:
    """Twenty clients insert and read at once, and every row is there."""
    gate = threading.Barrier(20)

    def work(number: int) -> int:
        client = connect(autogenerate_session_id=bool(number % 2))
        gate.wait(60)
        for step in range(5):
            client.insert(table, [[number * 1000 + step * 100 + index, "x"] for index in range(100)])
            client.query(f"SELECT count(), sum(a) FROM {table} WHERE a % {{n:UInt8}} = 0", parameters={"n": 3})
        return 500

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(work, range(20))) == 10_000
    assert connect().query(f"SELECT count(), uniqExact(a) FROM {table}").result_rows == [(10_000, 10_000)]


def test_async_client(target: Any, table: str) -> None:
    """The asynchronous client does the same."""

    async def work() -> Any:
        client = await clickhouse_connect.get_async_client(
            host=target.host,
            port=target.port,
            username=target.writer.name,
            password=target.writer.password,
            database=target.database,
            autogenerate_session_id=False,
        )
        await client.insert(table, [[7, "x"]])
        answers = await asyncio.gather(*(client.query(f"SELECT sum(a) + {n} FROM {table}") for n in range(10)))
        await client.close()
        return [answer.result_rows[0][0] for answer in answers]

    assert asyncio.run(work()) == list(range(7, 17))


def test_external_data(connect: Connect, target: Any) -> None:
    """External data are used, or refused in clear words: never ignored."""
    client = connect()
    data = ExternalData(fmt="CSV", structure=["tag String"], data=b"a\nb\n", file_name="wanted")
    if target.embedded is None:
        assert client.query("SELECT count() FROM wanted", external_data=data).result_rows == [(2,)]
    else:
        with pytest.raises(DatabaseError, match="temporary table") as caught:
            client.query("SELECT count() FROM wanted", external_data=data)
        assert caught.value.code == 48
