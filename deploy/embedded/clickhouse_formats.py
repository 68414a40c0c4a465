"""Output formats: which ones are valid block after block, and what they are called on the wire."""

_JOINING = frozenset(
    ["native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow", "jsoncompacteachrow", "tskv", "null"]
)
_TYPES = {
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "jsoncompacteachrow": "application/x-ndjson; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
    "markdown": "text/markdown; charset=UTF-8",
    "pretty": "text/plain; charset=UTF-8",
    "prettycompact": "text/plain; charset=UTF-8",
    "vertical": "text/plain; charset=UTF-8",
}


def content_type(format_name: str) -> str:
    """The media type of an output format."""
    return _TYPES.get(format_name.lower(), "application/octet-stream")


def joins(format_name: str) -> bool:
    """Whether the format of a whole answer is that of its blocks one after the other."""
    return format_name.lower() in _JOINING
