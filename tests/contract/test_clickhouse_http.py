"""ClickHouse's HTTP interface as any client sees it: the embedded server and a real one keep the same promises."""

import gzip
import http.client
import json
import shutil
import struct
import subprocess
import zlib
from typing import Any

import lz4.frame
import pytest
import zstandard

PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}
UNPACK = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}


@pytest.mark.parametrize("path", ["/ping", "/replicas_status"])
def test_health_needs_no_credentials(target: Any, path: str) -> None:
    """Probes are answered with Ok to anybody."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"Ok.\n")
    connection.close()


def test_query_in_url_body_or_both(target: Any) -> None:
    """A query may come in the URL, in the body, or begin in the one and go on in the other."""
    assert target.ask(method="GET", params={"query": "SELECT 1"}).text == "1\n"
    assert target.done("SELECT 2") == "2\n"
    assert target.ask("3", params={"query": "SELECT"}).text == "3\n"


def test_answer_headers(target: Any) -> None:
    """An answer names its query, format, time zone and what it has cost."""
    reply = target.ask("SELECT number FROM numbers(3) FORMAT JSONEachRow", params={"query_id": "contract-1"})
    assert reply.headers["X-ClickHouse-Query-Id"] == "contract-1"
    assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert reply.headers["X-ClickHouse-Timezone"]
    summary = json.loads(reply.headers["X-ClickHouse-Summary"])
    assert {"read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows", "elapsed_ns"} <= set(summary)
    assert reply.headers["Content-Type"].startswith("application/x-ndjson")


def test_insert_summary_counts_rows(target: Any, table: str) -> None:
    """The answer to an INSERT says how many rows were written."""
    reply = target.ask(f"INSERT INTO {table} SELECT number, 'x' FROM numbers(1234)")
    assert json.loads(reply.headers["X-ClickHouse-Summary"])["written_rows"] == "1234"


@pytest.mark.parametrize(
    ("sql", "format_name"),
    [
        ("SELECT 1 AS a FORMAT CSVWithNames", "CSVWithNames"),
        ("SELECT 1 AS a FORMAT JSON SETTINGS max_threads = 1;", "JSON"),
        ("SELECT 1 AS a -- the format comes next\nFORMAT XML -- done", "XML"),
        ("SELECT 'FORMAT CSV' AS format", "TabSeparated"),
        ("(SELECT 1 AS a) FORMAT TSKV", "TSKV"),
    ],
)
def test_format_of_the_query_wins(target: Any, sql: str, format_name: str) -> None:
    """The format that a query names is the one of its answer, wherever it stands."""
    reply = target.ask(sql)
    assert (reply.status, reply.headers["X-ClickHouse-Format"]) == (200, format_name)
    assert target.ask(sql, params={"wait_end_of_query": "1"}).body[:20] == reply.body[:20]


@pytest.mark.parametrize("way", ["param", "header"])
def test_default_format(target: Any, way: str) -> None:
    """A request may choose the format of queries that name none."""
    params = {"default_format": "JSONCompactEachRow"} if way == "param" else {}
    headers = {"X-ClickHouse-Format": "JSONCompactEachRow"} if way == "header" else {}
    assert target.ask("SELECT 1, 'x'", params=params, headers=headers).text == '[1, "x"]\n'


@pytest.mark.parametrize("coding", list(UNPACK))
def test_answers_are_compressed_on_demand(target: Any, coding: str) -> None:
    """A compressed answer unpacks to the plain one, short or streamed."""
    for count in (10, 400_000):
        sql = f"SELECT number, toString(number) FROM numbers({count})"
        reply = target.ask(sql, params={"enable_http_compression": "1"}, headers={"Accept-Encoding": coding})
        assert reply.headers["Content-Encoding"] == coding
        assert UNPACK[coding](reply.body) == target.ask(sql).body


def test_compression_needs_both_sides(target: Any) -> None:
    """Without enable_http_compression an answer is plain, whatever the client accepts."""
    assert target.ask("SELECT 1", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] is None


@pytest.mark.parametrize("coding", list(PACK))
def test_compressed_requests(target: Any, table: str, coding: str) -> None:
    """Queries and data arrive whole from a compressed body."""
    packed = PACK[coding](b"".join(b"%d\tx\n" % number for number in range(50_000)))
    params = {"query": f"INSERT INTO {table} FORMAT TSV"}
    assert target.ask(packed, params=params, headers={"Content-Encoding": coding}).status == 200
    sql = PACK[coding](f"SELECT count(), sum(a) FROM {table}".encode())
    assert target.ask(sql, headers={"Content-Encoding": coding}).text == "50000\t1249975000\n"


def test_broken_compression_is_refused(target: Any, table: str) -> None:
    """A body that does not unpack inserts nothing."""
    packed = gzip.compress(b"1\tx\n" * 1000)[:-20]
    params = {"query": f"INSERT INTO {table} FORMAT TSV"}
    assert target.ask(packed, params=params, headers={"Content-Encoding": "gzip"}).status >= 400
    assert target.done(f"SELECT count() FROM {table}") == "0\n"


def test_chunked_bodies(target: Any, table: str) -> None:
    """A body in chunks is the body, on a connection that goes on to be used."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    url = f"/?database={target.database}&query=INSERT+INTO+{table}+FORMAT+CSV"
    for number in range(3):
        pieces = iter([b"1,a\n2,", b"b\n", b"3,%d" % number])
        connection.request("POST", url, pieces, target.writer.header, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    assert target.done(f"SELECT count(), sum(a) FROM {table}") == "9\t18\n"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("it's \\\\ here", "String", "it\\'s \\\\ here"),
        ("340282366920938463463374607431768211455", "UInt128", "340282366920938463463374607431768211455"),
        ("0.000001", "Decimal(18,6)", "0.000001"),
        ("['a','b\\'c']", "Array(String)", "['a','b\\'c']"),
        ("[1,2,340282366920938463463374607431768211455]", "Array(UInt128)", None),
        ("2026-11-23 10:20:30.123456", "DateTime64(6, 'UTC')", "2026-11-23 10:20:30.123456"),
        ("\\N", "Nullable(UInt8)", "\\N"),
    ],
)
def test_bind_parameters(target: Any, value: str, kind: str, text: str | None) -> None:
    """A bound value arrives exactly, also beyond 64 bits; it is data, never SQL."""
    sql = f"SELECT {{v:{kind}}}, toTypeName({{v:{kind}}})"
    expected = f"{value if text is None else text}\t{kind}\n".replace("(18,6)", "(18, 6)").replace("'UTC'", "\\'UTC\\'")
    assert target.ask(sql, params={"param_v": value}).text == expected


def test_bind_parameters_in_a_form(target: Any) -> None:
    """Query and parameters may come as fields of a multipart form."""
    boundary = "x-contract-x"
    fields = {"query": "SELECT {a:UInt128} + 1, {b:String}", "param_a": str(2**100), "param_b": "ü\\n"}
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    reply = target.ask((body + f"--{boundary}--\r\n").encode(), headers=headers)
    assert reply.text == f"{2**100 + 1}\tü\\n\n"


BINARY = [9, 10, 11, 12, 13, 32, 0, 0x0A0A0A0A0A0A0A0A, 0x2020202020202020, 0x0D0A]


@pytest.mark.parametrize("first", BINARY)
@pytest.mark.parametrize("place", ["url", "body"])
def test_binary_data_that_begin_like_white_space(target: Any, table: str, place: str, first: int) -> None:
    """The first bytes of binary data are data, also when they are blanks or line ends."""
    rows = b"".join(struct.pack("<Q", number) + b"\x02\n " for number in (first, 7))
    sql = f"INSERT INTO {table} FORMAT RowBinary"
    in_url = place == "url"
    reply = target.ask(rows if in_url else sql.encode() + b"\n" + rows, params={"query": sql} if in_url else {})
    assert reply.status == 200, reply.text
    assert target.done(f"SELECT a, hex(s) FROM {table} ORDER BY a = 7, a") == f"{first}\t0A20\n7\t0A20\n"


@pytest.mark.parametrize(
    "format_name",
    [
        "TSV",
        "TSVWithNames",
        "CSV",
        "CSVWithNames",
        "JSONEachRow",
        "JSONCompactEachRow",
        "JSON",
        "Values",
        "Native",
        "RowBinary",
        "RowBinaryWithNamesAndTypes",
        "MsgPack",
        "Parquet",
        "Arrow",
        "ArrowStream",
        "ORC",
    ],
)
def test_every_format_round_trips(target: Any, table: str, format_name: str) -> None:
    """What a format reads out, the same format reads in, streamed answers included."""
    source = "SELECT number AS a, concat(' ', char(10), toString(number)) AS s FROM numbers(70000)"
    written = target.ask(f"{source} FORMAT {format_name}").body
    reply = target.ask(written, params={"query": f"INSERT INTO {table} FORMAT {format_name}"})
    assert reply.status == 200, reply.text
    same = "SELECT count(), sum(cityHash64(a, CAST(s AS String))) FROM ({})"
    assert target.done(same.format(f"SELECT * FROM {table}")) == target.done(same.format(source))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {t} VALUES (1, 'a'), (2, concat('b', 'c'))",
        "INSERT INTO {t} (s, a) VALUES ('a', 1), ('bc', 2);",
        "INSERT INTO {t} SETTINGS async_insert = 0 VALUES (1, 'a'), (2, 'bc')",
        "INSERT INTO {t} SETTINGS async_insert = 0 FORMAT CSV\n1,a\n2,bc\n",
        "/* into */ INSERT INTO {t} (a, s) -- rows\nFORMAT TSV\n1\ta\n2\tbc",
        'INSERT INTO {t} FORMAT JSONEachRow {{"a": 1, "s": "a"}} {{"a": 2, "s": "bc"}}',
        "INSERT INTO {t} SELECT number + 1, ['a', 'bc'][number + 1] FROM numbers(2)",
        "INSERT INTO {t} FORMAT Values (1, 'a'), (2, 'bc')",
    ],
)
def test_insert_statements(target: Any, table: str, sql: str) -> None:
    """An INSERT is understood in every form of its grammar."""
    target.done(sql.format(t=table))
    assert target.done(f"SELECT * FROM {table} ORDER BY a") == "1\ta\n2\tbc\n"


def test_insert_with_parameters(target: Any, table: str) -> None:
    """Bind parameters work in VALUES too."""
    reply = target.ask(
        f"INSERT INTO {table} VALUES ({{a:UInt64}}, {{s:String}})", params={"param_a": "5", "param_s": "it's"}
    )
    assert reply.status == 200, reply.text
    assert target.done(f"SELECT * FROM {table}") == "5\tit\\'s\n"


def test_bad_data_insert_nothing(target: Any, table: str) -> None:
    """Rows that do not parse are refused with ClickHouse's code, and none of the block is there."""
    reply = target.ask(b"1,a\nx,b\n", params={"query": f"INSERT INTO {table} FORMAT CSV"})
    assert reply.status >= 400
    assert reply.code > 0
    assert target.done(f"SELECT count() FROM {table}") == "0\n"


def test_deduplication_tokens(target: Any, table: str) -> None:
    """A repeated insert with the same token has no second effect; another token has."""
    for token, count in (("t1", 1), ("t1", 1), ("t2", 2)):
        params = {"query": f"INSERT INTO {table} FORMAT CSV", "insert_deduplication_token": token}
        assert target.ask(b"1,a\n", params=params).status == 200
        assert target.done(f"SELECT count() FROM {table}") == f"{count}\n"


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELCT 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT * FROM no_such_table", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT no_such_column", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT noSuchFunction(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("SELECT 1 FORMAT NoSuchFormat", 404, 73, "UNKNOWN_FORMAT"),
        ("SELECT 1 SETTINGS no_such_setting = 1", 404, 115, "UNKNOWN_SETTING"),
        ("SELECT {missing:UInt8}", None, 456, "UNKNOWN_QUERY_PARAMETER"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
    ],
)
def test_errors_have_codes(target: Any, sql: str, status: int | None, code: int, name: str) -> None:
    """A refusal has the HTTP status, the code in its header, and 'Code: N. DB::Exception: …' with the name, always."""
    assert target.ask(sql).code == code
    reply = target.ask(sql)
    assert reply.code == code, reply.text
    assert status is None or reply.status == status
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name})" in reply.text
    assert reply.text.count("DB::Exception") == 1


def test_error_in_the_middle_is_seen(target: Any) -> None:
    """A query that fails after its answer began never looks complete."""
    sql = "SELECT number, throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 10000"
    with pytest.raises(http.client.IncompleteRead) as caught:
        target.ask(sql)
    assert b"FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" in caught.value.partial
    assert target.ask(sql, params={"wait_end_of_query": "1"}).code == 395


def test_time_limit(target: Any) -> None:
    """max_execution_time ends a query with 159."""
    sql = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
    assert target.ask(sql, params={"max_execution_time": "1"}).code == 159


def test_settings_hold_for_one_request(target: Any) -> None:
    """A setting in the URL changes this query and nothing after it, with a session and without."""
    sql = "SELECT getSetting('max_block_size')"
    before = target.done(sql)
    for session in ({}, {"session_id": f"s-{target.database}"}):
        assert target.ask(sql, params={"max_block_size": "4321", **session}).text == "4321\n"
        assert target.ask(sql, params=session).text == before


def test_sessions_keep_what_is_set_in_them(target: Any) -> None:
    """A session keeps its SET, its USE and its temporary tables; a setting of one request goes over them and back."""
    session = {"session_id": f"keep-{target.database}"}
    sql = "SELECT getSetting('max_block_size')"
    target.done("SET max_block_size = 1111", params=session)
    assert target.ask(sql, params={"max_block_size": "2222", **session}).text == "2222\n"
    assert target.ask(sql, params=session).text == "1111\n"
    target.done("CREATE TEMPORARY TABLE tt (a UInt8)", params=session)
    target.done("INSERT INTO tt VALUES (1), (2)", params=session)
    assert target.ask("SELECT sum(a) FROM tt", params=session).text == "3\n"
    assert target.ask("SELECT sum(a) FROM tt").code == 60


def test_database_of_a_request(target: Any) -> None:
    """The database of a request is its own, by parameter or header, and a session's USE stays."""
    session = {"session_id": f"db-{target.database}"}
    sql = "SELECT currentDatabase()"
    assert target.ask(sql, params={"database": "system", **session}).text == "system\n"
    assert target.ask(sql, params={"database": "", **session}).text == "default\n"
    target.done("USE system", params={"database": "", **session})
    assert target.ask(sql, params={"database": "", **session}).text == "system\n"
    assert target.ask(sql, params={"database": ""}, headers={"X-ClickHouse-Database": "system"}).text == "system\n"
    assert target.ask(sql, params={"database": "no_such"}).code == 81


def test_session_check_and_timeout(target: Any) -> None:
    """A session that must exist and does not is 372; a senseless time-out is refused."""
    assert target.ask("SELECT 1", params={"session_id": "never-seen", "session_check": "1"}).code == 372
    assert target.ask("SELECT 1", params={"session_id": "s", "session_timeout": "x"}).code == 374
    assert target.ask("SELECT 1", params={"session_id": "s", "session_timeout": "999999"}).code == 374


def test_get_reads_only(target: Any, table: str) -> None:
    """GET changes nothing, with a session and without."""
    for session in ({}, {"session_id": f"get-{target.database}"}):
        for sql in (f"INSERT INTO {table} VALUES (1, 'a')", f"DROP TABLE {table}", f"TRUNCATE TABLE {table}"):
            assert target.ask(method="GET", params={"query": sql, **session}).code == 164
        assert target.ask(method="GET", params={"query": f"SELECT count() FROM {table}", **session}).text == "0\n"
        assert target.ask(f"INSERT INTO {table} SELECT 1, 'a' WHERE 0", params=session).status == 200


def test_wait_end_of_query_gives_a_length(target: Any) -> None:
    """With wait_end_of_query the answer is complete before it begins."""
    sql = "SELECT number FROM numbers(500000)"
    assert target.ask(sql, params={"wait_end_of_query": "1"}).body == target.ask(sql).body


def test_connections_are_kept(target: Any) -> None:
    """Many requests, good and bad, run on one connection."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    for number in range(50):
        sql = f"SELECT {number}" if number % 5 else "SELECT no_such_column"
        connection.request("POST", "/", sql, target.writer.header)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == (200 if number % 5 else 404)
        assert not number % 5 or text == f"{number}\n".encode()
    connection.close()


def test_length_is_required(target: Any) -> None:
    """A POST that says neither its length nor chunks is refused with 411."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
    connection.putrequest("POST", "/?query=SELECT+1")
    for name, value in target.writer.header.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (411, "381")
    connection.close()


def test_curl(target: Any, table: str) -> None:
    """curl inserts and reads, also a body so large that it first asks whether to go on."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    url = f"http://{target.host}:{target.port}/?database={target.database}"
    login = ["-sS", "--fail-with-body", "-u", f"{target.writer.name}:{target.writer.password}"]
    rows = b"".join(b"%d,row\n" % number for number in range(300_000))
    insert = [curl, *login, "--data-binary", "@-", f"{url}&query=INSERT%20INTO%20{table}%20FORMAT%20CSV"]
    assert subprocess.run(insert, input=rows, capture_output=True, timeout=60, check=True).stdout == b""
    select = [curl, *login, "--compressed", f"{url}&enable_http_compression=1", "-d", f"SELECT count() FROM {table}"]
    assert subprocess.run(select, capture_output=True, timeout=60, check=True).stdout == b"300000\n"
    wrong = subprocess.run([curl, *login, url, "-d", "SELCT"], capture_output=True, timeout=60, check=False)
    assert (wrong.returncode, wrong.stdout[:8]) == (22, b"Code: 62")


def test_select_summary_counts_what_was_read(target: Any) -> None:
    """The answer to a SELECT says how many rows it has read and how many it gives."""
    reply = target.ask("SELECT number FROM numbers(100000) WHERE number % 2 = 0")
    summary = json.loads(reply.headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) in {("100000", "50000"), ("100000", "0")}
