"""When a packet arrived at this machine, however late the process reads it."""

from __future__ import annotations

import asyncio
import struct
import sys
from time import time

from aiortc import clock

if sys.platform == "linux":
    from fcntl import ioctl

_SIOCGSTAMP = 0x8906  # of linux/sockios.h: when the packet came that was read last
_TIMEVAL = struct.Struct("ll")
_MOST_LATE_S = 5.0  # further off, the wall clock was set between arrival and reading


class Packet(bytes):
    """A packet that knows when it arrived, by aiortc's clock."""

    arrived_ms: float


def stamped(data: bytes, transport: asyncio.BaseTransport) -> Packet:
    """Return a packet with the time at which it arrived.

    Args:
        data: the last datagram read from the transport.
        transport: of UDP. Where the system keeps no arrival time, the packet arrives now.
    """
    packet = Packet(data)
    packet.arrived_ms = clock.current_ms() - 1000 * _late_s(transport)
    return packet


def _late_s(transport: asyncio.BaseTransport) -> float:
    if sys.platform != "linux":
        return 0.0
    socket = transport.get_extra_info("socket")
    if socket is None:
        return 0.0
    try:
        seconds, microseconds = _TIMEVAL.unpack(
            ioctl(socket.fileno(), _SIOCGSTAMP, bytes(_TIMEVAL.size))
        )
    except OSError:  # the system keeps none, as in some sandboxes
        return 0.0
    late_s = time() - seconds - microseconds / 1e6
    return late_s if 0 <= late_s < _MOST_LATE_S else 0.0
