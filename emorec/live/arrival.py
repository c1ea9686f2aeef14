"""When a packet arrived at this machine, however late its turn comes to be read."""

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
_MOST_LATE_S = 5.0  # a stamp further away is of a wall clock that was set


class Packet(bytes):
    """A packet that knows when it arrived, by aiortc's clock."""

    arrived_ms: float


def stamped(data: bytes, transport: asyncio.BaseTransport) -> Packet:
    """Return a packet with the time at which it arrived.

    Args:
        data: what was read from the transport last.
        transport: of UDP. Where its system keeps no time, the packet arrives now.
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
    except OSError:  # it keeps none, as in some sandboxes
        return 0.0
    late_s = time() - seconds - microseconds / 1e6
    return late_s if 0 <= late_s < _MOST_LATE_S else 0.0
