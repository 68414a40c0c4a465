"""The broker's state is read from what this start of it has logged."""

from pathlib import Path

from lotstream.deploy.embedded.kafka_log import KEEP_BYTES, open_log


def test_earlier_starts_do_not_count(tmp_path: Path) -> None:
    """A broker is not taken for started because an earlier one was."""
    path = tmp_path / "kafka.log"
    path.write_text("Kafka Server started\n", encoding="utf-8")
    log = open_log(path)
    assert not log.started
    with path.open("a", encoding="utf-8") as file:
        file.write("Awaiting socket connections on 1\nAwaiting socket connections on 2\n")
    assert log.listens
    assert not log.started


def test_long_log_is_put_aside(tmp_path: Path) -> None:
    """A log never grows over many starts; the one before is kept."""
    path = tmp_path / "kafka.log"
    path.write_bytes(b"x" * (KEEP_BYTES + 1))
    assert open_log(path).offset == 0
    assert (tmp_path / "kafka.log.1").stat().st_size == KEEP_BYTES + 1
