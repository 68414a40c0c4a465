"""The private functions of Faust, mode and aiokafka that the engine overrides or leans on are the ones it was written
against. When one changes, read what changed, run tests/system/engine, and set the new hash."""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer import AIOKafkaProducer
from aiokafka.producer.message_accumulator import MessageAccumulator
from faust.app.base import App
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from mode import Service

PINNED: list[tuple[Callable[..., Any], str]] = [
    (AIOKafkaConsumerThread._create_worker_consumer, "c2701bfc3e6f6cad"),
    (AIOKafkaConsumerThread._commit, "932852ce7a23f658"),
    (AIOKafkaConsumerThread._seek_wait, "9d221e816d940467"),
    (Consumer.commit, "a354437baaa08bf8"),
    (Consumer.wait_empty, "e4662fe24f094819"),
    (Consumer.perform_seek, "0e8c130ff4b0afd8"),
    (Consumer.verify_all_partitions_active, "4e0e46f5c297305d"),
    (Consumer._drain_messages, "44a2500309e83c63"),
    (Consumer.on_partitions_revoked, "d04b7ae72c6fc206"),
    (Consumer.on_stop, "45b1d2210ce2b526"),
    (Consumer.getmany, "4b168d84882a70d6"),
    (Producer._settings_extra, "a4c7bc41b6382223"),
    (Producer._new_producer, "e72355c3430ed02f"),
    (Recovery._resume_streams, "d986a6710c1aca98"),
    (Recovery._restart_recovery.fun, "6bd8a8558a2dffe4"),
    (Recovery._wait, "ec7429b70176f8c6"),
    (Recovery.on_rebalance, "aa4d997a1795ceae"),
    (TableManager.on_start, "365dd25fbc0e0684"),
    (TableManager._update_channels, "88e3941facc934d6"),
    (App._on_partitions_revoked, "d5c895bbe57dc73a"),
    (App._on_partitions_assigned, "de932b7927db85b3"),
    (App._stop_consumer, "55854a5de12c3f52"),
    (App.on_rebalance_start, "5c1e23de30674082"),
    (App._create_directories, "a9f571c3b04abec3"),
    (Service._crash, "7bc0c709a151d556"),
    (Fetcher._get_actions_per_node, "1dab2cf937d165d0"),
    (AIOKafkaProducer.create_batch, "c4efda4bb7a09741"),
    (AIOKafkaProducer.send_batch, "bf42b0f0c5c0646d"),
    (MessageAccumulator.add_batch, "5ed1c5b1367ad854"),
    (MessageAccumulator._pop_batch, "41cc98a298ef2628"),
    (GroupCoordinator.fetch_committed_offsets, "6c049c7379165952"),
    (AIOKafkaConnection.send, "5909ea32f4efca49"),
    (AIOKafkaClient._md_synchronizer, "e0421bffa9a7735a"),
    (AIOKafkaClient.coordinator_lookup, "19cc69fb75f8d667"),
    (GroupCoordinator.ensure_coordinator_known, "4dfb9ccd877aba5d"),
    (GroupCoordinator._coordination_routine, "75273e127d4a4f5d"),
]


@pytest.mark.parametrize(("function", "expected"), PINNED, ids=lambda value: getattr(value, "__qualname__", ""))
def test_the_function_is_the_one_the_engine_was_written_against(function: Callable[..., Any], expected: str) -> None:
    """The source of the function has the hash that it had when the engine was tested against it."""
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16] == expected
