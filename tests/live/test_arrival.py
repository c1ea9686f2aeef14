"""Packets that are read late, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import pytest
from aiortc import clock

from emorec.live.arrival import Packet, stamped


class Reader(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.packets: list[tuple[Packet, int]] = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.packets.append((stamped(data, self.transport), clock.current_ms()))


async def read_late(count: int, late_s: float) -> tuple[list[tuple[Packet, int]], list[int]]:
    """Send packets while the event loop, which would read them, waits.

    Returns:
        Each packet with the time at which it was read, and the times at which they were sent.
    """
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_datagram_endpoint(Reader, local_addr=("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        address = transport.get_extra_info("sockname")
        sender.sendto(b"first", address)  # from here on the kernel keeps the time
        while not reader.packets:
            await asyncio.sleep(0.01)
        sent_ms = []
        for number in range(count):
            sent_ms.append(clock.current_ms())
            sender.sendto(bytes([number]), address)
            time.sleep(late_s / count)
        while len(reader.packets) <= count:
            await asyncio.sleep(0.01)
    transport.close()
    return reader.packets[1:], sent_ms


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep no time")
def test_a_packet_tells_when_it_arrived_not_when_it_was_read():
    packets, sent_ms = asyncio.run(read_late(5, 0.5))
    assert [bytes(packet) for packet, _ in packets] == [bytes([n]) for n in range(5)]
    for (packet, read_ms), sent, after in zip(packets, sent_ms, [*sent_ms[1:], None], strict=True):
        # It came before the next was sent, however long this machine slept between the two.
        assert sent - 50 <= packet.arrived_ms <= (after or read_ms) + 50
    packet, read_ms = packets[0]
    assert read_ms - packet.arrived_ms > 400


def test_where_no_time_is_kept_it_arrives_now():
    class NoSocket:
        def get_extra_info(self, name):
            return None

    packet = stamped(b"x", NoSocket())
    assert packet == b"x" and abs(packet.arrived_ms - clock.current_ms()) < 1000
