"""Stop the server without losing a request that a client has sent (Linux).

A listener that closes resets the connections that wait for it, and the server closes those of
which it has not read the request yet. A proxy must not send such a POST again: it cannot know
that nobody acted on it. So first no new connection comes in, then those that wait are answered,
and only then does the server stop.
"""

import ctypes
import multiprocessing
import os
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

# For the workers to hear of it, and a request on a connection made just before to be read.
SECONDS = 0.6
_SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; socket(7)
# For the kernel's packet filter, which sees the TCP header: drop the packets with the flag SYN.
_DROP_NEW_CONNECTIONS = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in [
        (0x30, 0, 0, 13),  # Load the byte of the flags.
        (0x45, 0, 1, 0x02),  # Is SYN among them?
        (0x06, 0, 0, 0),  # Then keep nothing of the packet,
        (0x06, 0, 0, 0xFFFFFFFF),  # else all of it.
    ]
)


def drain_before_stop() -> None:
    """In the server's main process: SIGTERM, as it is handled now, comes after the draining."""
    if sys.platform == "linux":
        stop = signal.getsignal(signal.SIGTERM)

        def drain(number: int, frame: FrameType | None) -> None:
            for worker in multiprocessing.active_children():
                if worker.pid:
                    os.kill(worker.pid, signal.SIGUSR1)
            time.sleep(SECONDS)
            if callable(stop):
                stop(number, frame)

        signal.signal(signal.SIGTERM, drain)


def drain_when_told() -> None:
    """In a worker: be ready for what `drain_before_stop` sends."""
    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, refuse_new_connections)


def refuse_new_connections(*_signal: object) -> None:
    """On every listening socket of this process; a client that tries gets no answer, and waits."""
    instructions = ctypes.create_string_buffer(_DROP_NEW_CONNECTIONS, len(_DROP_NEW_CONNECTIONS))
    program = struct.pack("HP", len(_DROP_NEW_CONNECTIONS) // 8, ctypes.addressof(instructions))
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(link.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(link.name))) as listener:
                    if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
