"""The few system calls that Python's standard library doesn't offer."""

from __future__ import annotations

import ctypes
import errno
import os

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_CAPABILITY_VERSION_3 = 0x20080522
_FALLOC_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01

_oom_fd = -1
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def set_undumpable() -> None:
    """Keep same-uid processes from tracing us and from reading our /proc entries."""
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def set_subreaper() -> None:
    """Adopt orphaned descendants although we are not init."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def open_oom_score() -> None:
    """Open our own OOM score while we still may: not being dumpable closes /proc/self to us."""
    global _oom_fd
    try:
        _oom_fd = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        _oom_fd = -1


def swap_oom_score(score: int) -> int:
    """Set our OOM score, which children are born with; returns the one before."""
    if _oom_fd < 0:
        return score
    before = int(os.pread(_oom_fd, 16, 0))
    try:
        os.pwrite(_oom_fd, str(score).encode(), 0)
    except OSError:
        return before
    return before


def drop_bounding_set() -> None:
    """Make sure that no exec ever brings a capability back; needs CAP_SETPCAP."""
    capability = 0
    while _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def drop_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _libc.capset(header, (ctypes.c_uint32 * 6)())


def punch_hole(fd: int, start: int, end: int) -> bool:
    """Give back the disk blocks of a range, keeping the offsets; False if not supported."""
    while _libc.fallocate(fd, _FALLOC_PUNCH_HOLE_KEEP_SIZE, start, end - start) != 0:
        code = ctypes.get_errno()
        if code == errno.EINTR:
            continue
        if code in (errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV):
            return False
        raise OSError(code, os.strerror(code))
    return True
