"""Scanned labels without serial, with what the scanner's job says about them."""

from lotstream.readers.batches import Arrival
from lotstream.readers.formats.items import Label
from lotstream.readers.mapping import Mapping
from lotstream.readers.site_file import Scanner
from lotstream.schemas.base import Stamp
from lotstream.schemas.events import QuantityScan


def quantity_scan(label: Label, *, mapping: Mapping, arrival: Arrival, clock_offset_us: int) -> QuantityScan:
    """The label as a record of events.v1. A scanner that the mapping does not know observes where it is."""
    place = mapping.scanner_place(label.scanner)
    job = mapping.scanners.get(label.scanner) or Scanner(id=label.scanner, read_point=place.read_point)
    return QuantityScan(
        scanner=label.scanner,
        boot=label.boot,
        sequence=label.sequence,
        lot=label.lot,
        unit=label.unit,
        amount=label.amount,
        cases=label.cases,
        uom=label.uom,
        expires=label.expires,
        best_before=label.best_before,
        produced=label.produced,
        raw=label.raw,
        biz_step=job.biz_step,
        read_point=place.read_point,
        location=place.inside if job.location is None else job.location,
        source=job.source,
        document=label.document or job.document,
        line=label.line or job.line,
        party=label.party or job.party,
        time_us=label.device_time_us + clock_offset_us,
        device_time_us=label.device_time_us,
        # the identity begins with the scanner: two copies of a scan meet in one partition
        subject=f"scanner/{label.scanner}"[:200],
        stamp=Stamp(
            received_us=arrival.received_us, origin=arrival.origin, source=arrival.source, request=arrival.request
        ),
    )
