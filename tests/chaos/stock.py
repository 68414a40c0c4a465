"""What the engine is compared with: an ordinary Faust app, one agent with one table, as its user guide writes it.

One argument: its settings as JSON. It does what the toy of the engine does: for the record number n of a unit it
says which number came before, n|previous, and keeps n in the table. Left as they come: acknowledgement, commits,
recovery, producer. Set, as for the engine: broker, partitions, memory store, and a session short enough to test.
"""

import json
import sys

import faust


def app_of(settings: dict[str, str]) -> faust.App:
    """The app of one worker."""
    app = faust.App(
        settings["id"],
        broker=f"kafka://{settings['broker']}",
        store="memory://",
        datadir=settings["directory"],
        topic_partitions=4,
        topic_disable_leader=True,
        web_enabled=False,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_rebalance_timeout=6.0,
    )
    numbers = app.topic(settings["source"], value_type=bytes, value_serializer="raw", partitions=4)
    answers = app.topic(settings["output"], value_type=bytes, value_serializer="raw", partitions=4)
    last = app.Table("last", key_type=bytes, value_type=bytes, partitions=4)
    units = int(settings["units"])

    @app.agent(numbers)
    async def chain(stream: faust.Stream[bytes]) -> None:
        async for value in stream:
            number = int(value)
            unit = b"%d" % (number % units)
            before = int(last.get(unit) or b"-1")
            if number > before:
                last[unit] = b"%d" % number
                await answers.send(key=unit, value=b"%d|%d" % (number, before))

    return app


if __name__ == "__main__":
    app_ = app_of(json.loads(sys.argv[1]))
    sys.argv = ["stock", "worker", "-l", "warn", "--without-web"]
    app_.main()
