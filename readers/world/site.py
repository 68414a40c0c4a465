"""The places of the world, as a site file: locations, read points, readers, scanners and their jobs."""

from lotstream.schemas.identifiers import check_digit

COMPANY = "0614141"


def gln(number: int) -> str:
    """A GLN of the company that all the world belongs to."""
    body = f"{COMPANY}{number:05d}"
    return f"{body}{check_digit(body)}"


PLANT_GLN = gln(1)
PLANT, CENTRE = f"414/{PLANT_GLN}", f"414/{gln(10)}"
YARD, ROAD = f"{PLANT}/254/yard", f"{CENTRE}/254/yard"
STORES = tuple(f"414/{gln(100 + number)}" for number in (1, 2, 3))
PARTY = {place: f"417/{place.split('/')[1]}" for place in (CENTRE, *STORES)}

# reader: (format, read point); antennas 1 and 2 look inside, 3 and 4 outside
READERS = {
    "impinj-line": ("impinj", "plant/line"),
    "impinj-plant": ("impinj", "plant/dock"),
    "zebra-centre-in": ("zebra", "centre/dock-in"),
    "impinj-centre-out": ("impinj", "centre/dock-out"),
    "zebra-store-1": ("zebra", "store-1/door"),
    "zebra-store-2": ("zebra", "store-2/door"),
}

_LOCATIONS = (
    (PLANT, "Plant", "site"),
    (YARD, "Plant, yard", "transit"),
    (CENTRE, "Distribution centre", "site"),
    (ROAD, "Distribution centre, yard", "transit"),
    (STORES[0], "Store 1, Riverside", "customer"),
    (STORES[1], "Store 2, Old Town", "customer"),
    (STORES[2], "Store 3, Harbour", "customer"),
    ("street", "Street before a store", "transit"),
)
_POINTS = (
    ("plant/line", PLANT, ""),
    ("plant/dock", PLANT, YARD),
    ("plant/scale", PLANT, ""),
    ("centre/dock-in", CENTRE, ROAD),
    ("centre/dock-out", CENTRE, ROAD),
    ("centre/desk", CENTRE, ""),
    ("store-1/door", STORES[0], "street"),
    ("store-2/door", STORES[1], "street"),
    ("store-1/desk", STORES[0], ""),
)

# scanner: (read point, biz step, source, location)
SCANNERS = {
    "scale": ("plant/scale", "commissioning", "", PLANT),
    "plant-desk": ("plant/scale", "shipping", PLANT, CENTRE),
    "centre-desk": ("centre/desk", "receiving", CENTRE, CENTRE),
    "centre-ship-1": ("centre/desk", "shipping", CENTRE, STORES[0]),
    "centre-ship-3": ("centre/desk", "shipping", CENTRE, STORES[2]),
    "store-1-desk": ("store-1/desk", "receiving", STORES[0], STORES[0]),
}


def site_file() -> str:
    """The site file of the world (TOML)."""
    parts = [
        _table(
            "locations",
            id=key,
            name=name,
            kind=kind,
            gln=key.split("/")[1] if "/" in key else "",
            site=key.split("/254")[0],
        )
        for key, name, kind in _LOCATIONS
    ]
    parts += [_table("read_points", id=key, inside=inside, outside=outside) for key, inside, outside in _POINTS]
    for reader, (_, point) in READERS.items():
        if point == "plant/line":
            parts.append(_table("antennas", reader=reader, antenna="all", read_point=point))
        else:
            parts.append(_table("antennas", reader=reader, antenna=[1, 2], read_point=point, side="inside"))
            parts.append(_table("antennas", reader=reader, antenna=[3, 4], read_point=point, side="outside"))
    for scanner, (point, step, source, location) in SCANNERS.items():
        parts.append(_table("scanners", id=scanner, read_point=point, biz_step=step, source=source, location=location))
    return "\n".join(parts)


def _table(table: str, /, **values: str | list[int]) -> str:
    lines = [f"[[{table}]]"]
    lines += [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
