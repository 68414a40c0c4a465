"""The server's own cage: after `enter_sandbox` the kernel lets this process touch its data and nothing else.

The engine can read files, call servers and run commands in more ways than anyone can list. Its access rights and a
look at the query refuse them with a clear message; Linux' Landlock (5.13 and later, no privileges needed) holds also
for the ways that nobody thought of. https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_ONLY = 1
RULE_PATH = 1
PR_SET_NO_NEW_PRIVS = 38


class File(IntFlag):
    """What a process may do with files, as the kernel numbers it."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    MAKE_AND_REMOVE = 0b1_1111_1111 << 4
    REFER = 1 << 13
    TRUNCATE = 1 << 14

    @classmethod
    def known(cls, version: int) -> "File":
        """What a kernel of this Landlock version can forbid."""
        rights = cls.EXECUTE | cls.WRITE_FILE | cls.READ_FILE | cls.READ_DIR | cls.MAKE_AND_REMOVE
        return rights | (cls.REFER if version >= 2 else cls(0)) | (cls.TRUNCATE if version >= 3 else cls(0))


BIND_TCP, CONNECT_TCP = 1, 2
OWN_SOCKETS, OWN_SIGNALS = 1, 2
READ = File.READ_FILE | File.READ_DIR
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/localtime",
    "/etc/timezone",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
    "/proc/self",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/sys",
    "/sys/devices/system",
    "/sys/fs/cgroup",
)
"""What the engine and Python read of a machine: its libraries, time zones, and how much of it there is."""


def landlock_version() -> int:
    """The kernel's Landlock version, 0 without it."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_ONLY)))


def enter_sandbox(data: Path) -> bool:
    """Confine this process and its later threads; False where the kernel cannot. There is no way back.

    It keeps its open files and sockets, its data directory, and what it needs to read of the system: no other file, no
    command, no new connection or port. Call it while there is one thread. Raises OSError.
    """
    version = landlock_version()
    if not version:
        return False
    files = File.known(version)
    ruleset = _create_ruleset(version, files)
    try:
        _allow_paths(ruleset, [data], rights=files & ~File.EXECUTE)
        readable = [Path(path) for path in (*SYSTEM, sys.prefix, sys.base_prefix)]
        _allow_paths(ruleset, readable, rights=READ)
        if _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "Expected to give up new privileges, got an error.")
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def _create_ruleset(version: int, files: File) -> int:
    fields = [int(files)]
    if version >= 4:
        fields.append(BIND_TCP | CONNECT_TCP)
    if version >= 6:
        fields.append(OWN_SOCKETS | OWN_SIGNALS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return _call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)


def _allow_paths(ruleset: int, paths: Iterable[Path], *, rights: File) -> None:
    for path in dict.fromkeys(paths):
        if not path.exists():
            continue
        given = rights if path.is_dir() else rights & (File.READ_FILE | File.WRITE_FILE | File.TRUNCATE)
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            _call(ADD_RULE, ruleset, RULE_PATH, struct.pack("=Qi", int(given), descriptor), 0)
        finally:
            os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Expected Landlock to take call {number}, got {arguments!r} refused.")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
