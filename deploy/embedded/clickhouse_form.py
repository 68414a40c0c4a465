"""Bind parameters that come as fields of a multipart form."""

from email import message_from_bytes

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse

MAX_FORM = 64 << 20
"""A longer form is cut, and then no form."""


def parse_form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of the form. Raises ClickHouseError 48 for a file, which would be external data."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise refuse(Code.BAD_ARGUMENTS, "Expected a multipart form, got none.")
    fields = {}
    for part in message.walk():
        if part.is_multipart():
            continue
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise refuse(
                Code.NOT_IMPLEMENTED, f"External data ({name}) is not supported here: insert into a temporary table."
            )
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = _text(value)
    return fields


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise refuse(Code.BAD_ARGUMENTS, f"Expected a form in UTF-8, got: {error}.") from None
