"""Which partition a message belongs to. One function for all producers (ARCHITECTURE section 5).

The hash is Kafka's own murmur2, so that a plain producer with the same key bytes agrees.
"""

from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C
_NEIGHBOUR_BITS = 12  # 4,096 consecutive serials stay together


def murmur2(data: bytes) -> int:
    """Unsigned 32-bit murmur2 with the seed of org.apache.kafka.common.utils.Utils.murmur2."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=1 << 17)
def partition_of(key: str, count: int) -> int:
    """Partition of a key among ``count``: the Java default, (murmur2 & 0x7fffffff) mod count."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % count


def tag_neighbourhood(tag: str) -> str:
    """What is hashed for a tag: GTIN-14 and serial without its low 12 bits when numeric, else the whole key.

    Numeric means ``0|[1-9][0-9]{0,17}``: '007' is another serial than '7' and stays whole.
    """
    if tag[:3] == "01/" and tag[17:21] == "/21/":
        serial = tag[21:]
        if serial.isdigit() and serial.isascii() and len(serial) <= 18 and (serial[0] != "0" or serial == "0"):
            return f"{tag[3:17]}/{int(serial) >> _NEIGHBOUR_BITS}"
    return tag


def tag_partition(tag: str, count: int) -> int:
    """Partition of sightings.v1 and identity.v1 for a tag key."""
    return partition_of(tag_neighbourhood(tag), count)


def range_partitions(gtin: str, first: int, last: int, *, count: int) -> dict[int, list[tuple[int, int]]]:
    """The partitions that serials first..last of a GTIN-14 fall into, each with its pieces (inclusive)."""
    pieces: dict[int, list[tuple[int, int]]] = {}
    for block in range(first >> _NEIGHBOUR_BITS, (last >> _NEIGHBOUR_BITS) + 1):
        low = max(first, block << _NEIGHBOUR_BITS)
        high = min(last, ((block + 1) << _NEIGHBOUR_BITS) - 1)
        parts = pieces.setdefault(partition_of(f"{gtin}/{block}", count), [])
        if parts and parts[-1][1] == low - 1:
            parts[-1] = (parts[-1][0], high)
        else:
            parts.append((low, high))
    return pieces
