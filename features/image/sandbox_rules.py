"""What the sandbox's process may not ask of the kernel: programmes, connections, other processes, changes to files (seccomp, Linux only).

A decoder that a hostile file took over can then compute and answer, within the limits of `sandbox_worker.py`, and nothing else.
This is a second wall: where the kernel offers no such filters (`forbid` says so) the limits stand alone.
"""

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _ALL_THREADS = 1, 1
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_NUMBER, _ARCHITECTURE = 0, 4
_OTHER_NUMBERING = 0x40000000


@dataclass(frozen=True, slots=True)
class Machine:
    """One processor's numbers: its own, that of the call that sets a filter, and those of the calls that are refused."""

    audit: int
    seccomp: int
    refused: tuple[int, ...]


_X86 = Machine(
    0xC000003E,
    317,
    (
        *(59, 322, 57, 58, 101, 62, 200, 310, 311),  # execve, execveat, fork, vfork, ptrace, kill, tkill, process_vm_readv, process_vm_writev
        *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),  # socket, connect, accept, sendto, sendmsg, bind, listen, socketpair, accept4, sendmmsg
        *(76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94),  # truncate to lchown: whatever changes files and folders
        *(133, 155, 161, 165, 166, 246, 258, 259, 260, 263, 264, 265, 266, 268, 316),  # mknod, mount, chroot, ..., *at, renameat2
        *(272, 308, 321, 298, 425, 428, 434, 438),  # unshare, setns, bpf, perf_event_open, io_uring, open_tree, pidfd_open, pidfd_getfd
    ),
)
_ARM = Machine(
    0xC00000B7,
    277,
    (
        *(221, 281, 117, 129, 130, 270, 271),
        *(198, 199, 200, 201, 202, 203, 206, 211, 242, 269),
        *(33, 34, 35, 36, 37, 38, 39, 40, 45, 46, 51, 52, 53, 54, 55, 276),
        *(97, 268, 280, 241, 425, 428, 434, 438),
    ),
)
_MACHINES = {"x86_64": _X86, "aarch64": _ARM}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)


def rules(machine: Machine) -> Sequence[bytes]:
    """The filter's steps: another processor's calls kill, the refused ones fail with EPERM, the rest is allowed."""
    refused = machine.refused
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, machine.audit, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _OTHER_NUMBERING, len(refused) + 1, 0),
    ]
    steps += [_step(_EQUAL, number, len(refused) - place, 0) for place, number in enumerate(refused)]
    return [*steps, _step(_RETURN, _ALLOW), _step(_RETURN, _REFUSE)]


def forbid() -> bool:
    """Put the filter over every thread of this process, for ever. False: this kernel or processor offers none, nothing was changed."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    packed = b"".join(rules(machine))
    kept = ctypes.create_string_buffer(packed, len(packed))
    program = _Program(len(packed) // 8, ctypes.addressof(kept))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.syscall(machine.seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(program)) == 0)
