"""The gateway dies, freezes, and runs out of room for what it keeps."""

import re
import signal
import time
from pathlib import Path

from tests.faults.brokers import spooling
from tests.faults.fault import expect, fault
from tests.faults.ground import Ground

MARK = b"\xf5LS1"
TAG = re.compile(rb"E2FA[0-9A-F]{20}")


def files(ground: Ground) -> list[Path]:
    """What the gateway of the stack keeps, oldest first."""
    return sorted(ground.spool.glob("*.spool"))


def told(ground: Ground, cause: str, since_us: int) -> int:
    """Blind windows of a cause in the history since an instant that have an end."""
    database = ground.settings.clickhouse.database
    ((count,),) = ground.rows(
        f"SELECT uniq(subject, from_at) FROM {database}.blind_windows WHERE cause = {{cause:String}}"
        " AND until_at IS NOT NULL AND toUnixTimestamp64Micro(recorded_at) >= {since:UInt64}",
        cause=cause,
        since=since_us,
    )
    return int(count)


@fault()
def gateway_killed(ground: Ground) -> str:
    """SIGKILL under load."""
    ground.renew("gateway", signal.SIGKILL)
    return "started anew; readers sent again what was not acknowledged"


@fault()
def gateway_terminated(ground: Ground) -> str:
    """SIGTERM under load: what is under way is answered first."""
    child = ground.process("gateway")
    with ground.down("gateway", signal.SIGTERM):
        code = child.wait(1)
    ground.await_ready("gateway")
    expect(code == 0, f"Expected exit 0, got {code}.")
    return "exit 0"


@fault()
def gateway_frozen(ground: Ground) -> str:
    """SIGSTOP for four seconds."""
    with ground.frozen(ground.process("gateway").pid):
        time.sleep(4.0)
    return "went on where it stood"


@fault()
def gateway_killed_while_spooling(ground: Ground) -> str:
    """SIGKILL twice while it is the disk alone that acknowledges."""
    with ground.kafka_down():
        for _ in range(2):
            spooling(ground)
            ground.renew("gateway", signal.SIGKILL)
        kept = sum(file.stat().st_size for file in files(ground))
    return f"{kept} bytes on disk outlived it"


@fault()
def spool_torn(ground: Ground) -> str:
    """Killed in the middle of a write: half a record at the end of a file."""
    with ground.kafka_down():
        spooling(ground)
        with ground.down("gateway"):
            newest = files(ground)[-1]
            content = newest.read_bytes()
            last = content.rindex(MARK)
            half = TAG.sub(b"E2FADEAD0000000000000000", content[last:])  # nobody has sent that
            newest.write_bytes(content + half[: len(half) // 2])
    return "passed over half a record, sent the whole ones"


@fault()
def spool_corrupted(ground: Ground) -> str:
    """A bit of an acknowledged record changes on the disk: that cannot be undone, and must be said."""
    since_us = time.time_ns() // 1_000
    with ground.kafka_down():
        spooling(ground)
        time.sleep(1.0)
        with ground.down("gateway"):
            oldest = files(ground)[0]
            content = bytearray(oldest.read_bytes())
            second = content.index(MARK, 4)
            third = content.find(MARK, second + 4)
            lost = set(TAG.findall(bytes(content[second : third if third > 0 else None])))
            content[second + 60] ^= 1
            oldest.write_bytes(content)
    ground.account.excused |= {tag.decode() for tag in lost}
    ground.wait(lambda: told(ground, "discarded", since_us) > 0, "a blind window of cause discarded")
    kept = list((ground.spool / "damaged").glob("*.spool"))
    expect(len(kept) == 1, f"Expected the damaged file kept, got {len(kept)}.")
    return (
        f"one record of {len(lost)} reads unreadable: a blind window names the file, which is kept; the rest was sent"
    )


def refusing(ground: Ground) -> str:
    """Wait until the gateway refuses with 503, and until the history says since when and until when."""
    since_us = time.time_ns() // 1_000
    with ground.kafka_down():
        ground.wait(lambda: "refuses" in ground.check("gateway", "spool"), "a gateway that refuses")
        said = ground.check("gateway", "spool")
        expect(not ground._is_ready("gateway"), "Expected a gateway that is not ready while it refuses.")
        time.sleep(1.0)
    ground.wait(lambda: told(ground, "overflow", since_us) > 0, "blind windows with an end")
    return f"503, blind windows with an end; {said}"


@fault()
def spool_full(ground: Ground) -> str:
    """More comes than spool_bytes."""
    with ground.altered("gateway", LOTSTREAM_GATEWAY__SPOOL_BYTES="60000"):
        return refusing(ground)


@fault()
def spool_too_old(ground: Ground) -> str:
    """The oldest request is older than spool_hours."""
    with ground.altered("gateway", LOTSTREAM_GATEWAY__SPOOL_HOURS="0.0008"):
        return refusing(ground)


@fault()
def spool_disk_full(ground: Ground) -> str:
    """Not a byte is left where the spool is."""
    with ground.full("spool"):
        return refusing(ground)


@fault(under_load=False)
def spool_second_owner(ground: Ground) -> str:
    """Another gateway is given the same spool."""
    return ground.refuses("gateway", said="gateway.spool_dir", LOTSTREAM_GATEWAY__SPOOL_DIR=str(ground.spool))


@fault(under_load=False)
def spool_not_writable(ground: Ground) -> str:
    """The directory of the spool cannot be made."""
    return ground.refuses("gateway", said="gateway.spool_dir", LOTSTREAM_GATEWAY__SPOOL_DIR="/proc/nowhere")


@fault(under_load=False)
def gateway_port_taken(ground: Ground) -> str:
    """Another process listens at its port."""
    port = ground.url.rpartition(":")[2]
    return ground.refuses("gateway", said="gateway.host and .port", LOTSTREAM_GATEWAY__PORT=port)


@fault()
def stale_run_directory(ground: Ground) -> str:
    """What a dead gateway has published is still there when the next one starts."""
    with ground.down("gateway"):
        left = (ground.run_dir / "gateway.json").exists()
        status = ground.extra_run("status", LOTSTREAM_RUN_DIR=str(ground.run_dir))
        expect("down" in status, f"Expected status to see through it, got {status!r}.")
    ground.await_ready("gateway")
    return f"gateway.json of the dead one was {'there' if left else 'gone'}: status says down, a new start replaces it"
