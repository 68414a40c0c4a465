"""The simulated world: deterministic, conserving, and in formats that the product's own parsers read."""

from collections import Counter
from decimal import Decimal

import numpy as np
import orjson
import pytest

from lotstream.readers.mapping import Mapping
from lotstream.readers.site_file import read_site_file
from lotstream.readers.world.formats import Field, event_posts, posts
from lotstream.readers.world.plan import Booking, LabelScan, Passage, Scale, World, item_tags, pallet_tag
from lotstream.readers.world.play import requests_by_device
from lotstream.readers.world.site import READERS, SCANNERS, site_file
from lotstream.schemas.identifiers import parse_scan, tag_key

SMALL = Scale(lots=2, pallets=4, items=6, reads=8, weight_lots=2, cases=9)


def test_one_seed_is_one_world() -> None:
    """Two tellings of one seed send the same bytes; another seed sends others."""

    def told(seed: int) -> list[bytes]:
        return [post.body for _, device in requests_by_device(World(SMALL, seed=seed)) for post in device.posts]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_nothing_is_lost_or_invented() -> None:
    """After everything has happened, what is somewhere is what was made; and nothing is negative."""
    world = World(SMALL)
    list(world.happenings())
    for lot in world.tagged:
        assert sum(world.truth[lot.key].items.values()) == world.truth[lot.key].made
        assert min(world.truth[lot.key].items.values()) >= 0
    for weighed in world.weighed:
        truth = world.truth[weighed.key]
        assert sum(truth.amounts.values(), Decimal(0)) == truth.made == sum(weighed.cases)
        assert sum(truth.cases.values()) == SMALL.cases
        assert min(truth.amounts.values()) >= 0


def test_tags_and_labels_are_real() -> None:
    """EPCs decode to the GTIN and SSCC of the events; labels parse to lot and weight."""
    world = World(SMALL)
    lot = world.tagged[0]
    pallet = lot.pallets[0]
    assert tag_key(pallet_tag(pallet)) == f"00/{pallet.sscc}"
    assert [tag_key(tag) for tag in item_tags(pallet)] == [f"01/10614141073464/21/{serial}" for serial in pallet.items]
    scans = [h for h in world.happenings() if isinstance(h, LabelScan) and h.scanner == "scale"]
    parsed = [parse_scan(scan.data) for scan in scans]
    assert Counter(scan.lot for scan in parsed) == {weighed.key: SMALL.cases for weighed in world.weighed}
    assert sum((scan.amount or Decimal(0)) for scan in parsed) == sum(sum(w.cases) for w in world.weighed)


def test_the_site_file_knows_every_device(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No reader of the world is unmapped, and every scanner has its job."""
    path = tmp_path_factory.mktemp("site") / "site.toml"
    path.write_text(site_file(), encoding="utf-8")
    mapping = Mapping(read_site_file(path))
    assert all(mapping.place(reader, antenna).mapped for reader in READERS for antenna in (1, 2, 3, 4))
    assert set(mapping.scanners) == set(SCANNERS)


@pytest.mark.parametrize("inward", [True, False])
def test_one_side_sees_a_pallet_before_the_other(inward: bool) -> None:
    """Inward: first the outer antennas, then the inner ones; every tag that is not missed is read at least 4 times."""
    passage = Passage("impinj-plant", 10**15, ("AA", "BB", "CC"), inward, frozenset({"BB"}))
    reads = Field(1, reads=8).reads(passage)
    assert (np.diff(reads.at) >= np.timedelta64(0)).all()
    assert set(reads.tag) == {0, 2}
    assert min(Counter(reads.tag.tolist()).values()) >= 4
    outer, inner = reads.at[reads.antenna > 2], reads.at[reads.antenna <= 2]
    assert (outer.max() < inner.min()) if inward else (inner.max() < outer.min())


def test_requests_hold_whole_json() -> None:
    """Each request is a JSON array of events, or an EPCIS document."""
    world = World(SMALL)
    happenings = list(world.happenings())
    passages = [h for h in happenings if isinstance(h, Passage) and h.reader == "zebra-centre-in"]
    for post in posts(passages, Field(1, reads=8)):
        assert len(orjson.loads(post.body)) == post.reads
    events = [h.event for h in happenings if isinstance(h, Booking)]
    sent = [orjson.loads(post.body) for post in event_posts(events, source="erp")]
    assert sum(len(document["epcisBody"]["eventList"]) for document in sent) == len(events)
