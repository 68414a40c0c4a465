"""Guards the lots of one partition: only those that are held, recalled or expired cost anything. Pure."""

from collections.abc import Callable, Iterable, Iterator

from lotstream.schemas.alerts import Alert
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.core import Output
from lotstream.streams.locate.alerts import Alerts, Message, decode_kept, encode_kept
from lotstream.streams.locate.lot import Lot, Source
from lotstream.streams.locate.parents import Parents
from lotstream.streams.locate.rules import guarded_from, rules_of
from lotstream.streams.locate.unit import Unit
from lotstream.streams.locate.visits import visits_of

PREFIX = b"A"

Units = Iterable[tuple[str, Unit]]  # by tag


class Guard:
    """All alerts of one partition."""

    def __init__(self, topic: str, partitions: int, *, parents: Parents) -> None:
        self._topic = topic
        self._partitions = partitions
        self._parents = parents
        self._lots: dict[str, Alerts] = {}
        self._dirty: dict[bytes, bytes | None] = {}
        self._released: dict[str, int] = {}  # lots with alerts to forget, and since when

    @property
    def standing(self) -> int:
        """Alerts that are raised or confirmed; any thread may ask."""
        return sum(alerts.standing for alerts in list(self._lots.values()))

    def sighted(self, lot: Lot, units: Units, *, offset: int) -> Iterator[Output]:
        """Units of a guarded lot were sighted, or turned out to be of another one."""
        alerts = self._lots.get(lot.key)
        if alerts is None:
            alerts = self._lots[lot.key] = Alerts(lot.key, rules_of(lot))
        self._look(alerts, units)
        yield from self._tell(alerts, (Source.SIGHTINGS, offset))

    def decided(self, lot: Lot, units: Callable[[], Units], *, offset: int, again: bool, turn: int) -> Iterator[Output]:
        """Something was said of a lot: its holds or its expiry date may be other ones. ``again``: a replay."""
        rules, was_us = rules_of(lot), lot.guarded_us
        lot.guarded_us = guarded_from(rules)
        alerts = self._lots.get(lot.key)
        if alerts is None:
            if lot.as_of_us < min(was_us, lot.guarded_us):
                return
            alerts = self._lots[lot.key] = Alerts(lot.key, ())
        if again or alerts.rules != rules:
            alerts.rules = rules
            self._look(alerts, units())
        yield from self._tell(alerts, (Source.LOTS, offset), all_of_them=True)
        self._released[lot.key] = turn

    def forget(self, before: int) -> None:
        """Drop alerts that were cleared by a release longer ago than a turn."""
        for name in [name for name, turn in self._released.items() if turn < before]:
            del self._released[name]
            for key in self._lots[name].drop_released():
                self._dirty[_name(name, key)] = None
            if not len(self._lots[name]):
                del self._lots[name]
                self._parents.forget_index(name)

    def load(self, values: Iterable[bytes], lots: dict[str, Lot]) -> None:
        """Alerts from the changelog, and from when on each lot is guarded."""
        for lot in lots.values():
            if lot.records or lot.holds:
                lot.guarded_us = guarded_from(rules_of(lot))
        for value in values:
            name, kept = decode_kept(value)
            if name not in self._lots:
                self._lots[name] = Alerts(name, rules_of(lots.get(name) or Lot(name)))
                self._released[name] = 0
            self._lots[name].load(kept.key, kept)

    def changes(self) -> dict[bytes, bytes | None]:
        """What is to be written since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def _look(self, alerts: Alerts, units: Units) -> None:
        way = self._parents.way(alerts.lot)
        for tag, unit in units:
            entries = unit.of(alerts.lot)
            alerts.look(tag, visits_of(tag, entries, now=unit.now, way=way), floor=unit.floor[0])

    def _tell(self, alerts: Alerts, message: Message, *, all_of_them: bool = False) -> Iterator[Output]:
        for key, kept, alert in alerts.settle(message, all_of_them=all_of_them):
            self._dirty[_name(alerts.lot, key)] = encode_kept(alerts.lot, kept)
            if alert is not None:
                yield self._output(alert)

    def _output(self, alert: Alert) -> Output:
        partition = partition_of(alert.read_point, self._partitions)
        return Output(self._topic, partition, alert.encode(), key=alert.key.encode())


def _name(lot: str, key: str) -> bytes:
    return PREFIX + f"{key} {lot}".encode()
