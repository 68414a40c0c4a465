"""Sessions: a handle that lasts across requests, and settings that do not outlive theirs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lotstream.deploy.embedded.clickhouse_engine import Engine, Handle, quote_text
from lotstream.deploy.embedded.clickhouse_errors import Code, refuse
from lotstream.deploy.embedded.clickhouse_users import Role
from lotstream.deploy.embedded.clickhouse_wish import Wish

MAX_SESSIONS = 500
CHANGING = frozenset(["set", "use"])
"""Statements whose effect is meant to outlive their request."""
HARMLESS = frozenset(["select", "(", "with", "from", "insert", "show", "describe", "desc", "exists", "explain"])
"""Statements that leave nothing behind in a handle: the next request without a session can have it."""
MAX_SPARE = 16


@dataclass(slots=True)
class Session:
    """A handle with the settings and the database that are its own, beside those a request has put over them."""

    handle: Handle
    lock: threading.Lock = field(default_factory=threading.Lock)
    own: dict[str, str] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    database: str = "default"
    current: str = "default"
    expires: float = 0.0

    def adapt(self, wish: Wish, *, verb: str) -> None:
        """Bring settings and database to what this request wants: only what differs is touched.

        A statement that changes the session runs on what is the session's own.
        """
        settings = {} if verb in CHANGING else wish.settings
        back = {name: self._own(name) for name in self.over if name not in settings}
        new = {name: value for name, value in settings.items() if self.over.get(name) != value}
        for name in new:
            self._own(name)
        self.handle.set(back)
        for name in back:
            del self.over[name]
        self.handle.set(new)
        self.over.update(new)
        wanted = (wish.database if verb not in CHANGING else "") or self.database
        if wanted != self.current:
            self.handle.use(wanted)
            self.current = wanted

    def _own(self, name: str) -> str:
        if name not in self.own:
            sql = f"SELECT value FROM system.settings WHERE name = {quote_text(name)}"  # noqa: S608  # quoted
            self.own[name] = self.handle.text(sql)
        return self.own[name]

    def settle(self, verb: str) -> None:
        """After a statement that changes the session itself: what it has set stays."""
        if verb == "set":
            self.own.clear()
            self.over.clear()
        elif verb == "use":
            self.database = self.current = self.handle.text("SELECT currentDatabase()")


class Sessions:
    """All sessions of a server, by user and id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: dict[tuple[Role, str], Session] = {}
        self._spare: dict[bool, list[Session]] = {False: [], True: []}
        self._lock = threading.Lock()

    @contextmanager
    def converse(self, wish: Wish, *, verb: str) -> Iterator[Session]:
        """The session that the request names, or a passing one. Raises ClickHouseError."""
        if not wish.session:
            with self._pass(wish, verb=verb) as session:
                yield session
            return
        session = self._find(wish)
        try:
            session.adapt(wish, verb=verb)
            yield session
        finally:
            session.expires = time.monotonic() + wish.timeout_s
            if wish.close:
                self._forget(wish)
            session.lock.release()

    @contextmanager
    def _pass(self, wish: Wish, *, verb: str) -> Iterator[Session]:
        with self._lock:
            spare = self._spare[wish.reading]
            session = spare.pop() if spare else self._fresh(readonly=wish.reading)
        kept = False
        try:
            session.adapt(wish, verb="")
            yield session
            kept = verb in HARMLESS
        finally:
            with self._lock:
                if kept and len(self._spare[wish.reading]) < MAX_SPARE:
                    self._spare[wish.reading].append(session)
                else:
                    session.handle.close()

    def _fresh(self, *, readonly: bool) -> Session:
        handle = self._engine.open()
        if readonly:
            handle.set({"readonly": "2"})
        return Session(handle)

    def _find(self, wish: Wish) -> Session:
        key = (wish.role, wish.session)
        with self._lock:
            self._expire()
            session = self._open.get(key)
            if session is None:
                if wish.must_exist:
                    raise refuse(Code.SESSION_NOT_FOUND, f"Session {wish.session} not found.")
                if len(self._open) >= MAX_SESSIONS:
                    raise refuse(
                        Code.TOO_MANY_SIMULTANEOUS_QUERIES, f"Expected at most {MAX_SESSIONS} sessions, got one more."
                    )
                session = self._open[key] = self._fresh(readonly=wish.role is Role.READER)
            if not session.lock.acquire(blocking=False):
                raise refuse(Code.SESSION_IS_LOCKED, f"Session {wish.session} is locked by a concurrent client.")
            return session

    def _forget(self, wish: Wish) -> None:
        with self._lock:
            session = self._open.pop((wish.role, wish.session), None)
        if session is not None:
            session.handle.close()

    def _expire(self) -> None:
        now = time.monotonic()
        for key, session in list(self._open.items()):
            if session.expires < now and session.lock.acquire(blocking=False):
                del self._open[key]
                session.handle.close()

    def expire(self) -> None:
        """Close the sessions whose time is over."""
        with self._lock:
            self._expire()

    def close(self) -> None:
        """Close every session that is not in use."""
        with self._lock:
            for session in self._open.values():
                if session.lock.acquire(blocking=False):
                    session.handle.close()
            self._open.clear()
            for session in self._spare[False] + self._spare[True]:
                session.handle.close()
            self._spare = {False: [], True: []}
