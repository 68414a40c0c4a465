"""Faust made loss-free: stages of pure cores on Kafka. Imports nothing of the product; could be a package of its own.

    from lotstream.streams.engine.config import EngineConfig
    from lotstream.streams.engine.core import Acknowledge, Output, Record, Stage
    from lotstream.streams.engine.run import run

    stage = Stage(name="count", sources=("words",), partitions=4, build=Count, changelog="count-changelog",
                  acknowledge=Acknowledge.MESSAGE)
    run([stage], EngineConfig(brokers=("127.0.0.1:9092",), group_prefix="demo-", instance="worker-1"))

Faust gives the app, the consumer group with its rebalances, the agent and the producer. The engine has its own

    ledger      which offsets are done; only those are committed, and the books move when Kafka took it
    outbox      outputs of a few milliseconds leave together; state is stored when they are delivered, never before
    changelog   fences and owner numbers: what a replaced owner still writes is merged or ignored, never believed
    snapshot    for state that may see each record once only: whole or not there, wherever writing broke off
    loader      a million records of state in seconds
    pulse       a process that stood still for longer than its session ends before it sends anything

`deviations.py` holds each method of Faust that is replaced, with the reason; `shell.py` the four steps; `plain.py`
the same stages without Kafka. Promised, under kill, freeze, move, restart and death of brokers: no record is
lost, and each has the outputs that the plain loop gives it; MESSAGE outputs may come twice, equal in effect. Topics
exist beforehand, with one partition count per stage; sources are neither compacted nor written in transactions.
"""
