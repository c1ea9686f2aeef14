"""Puts a camera's packets together to frames, each as soon as its last packet is there."""

from __future__ import annotations

from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket


class FrameBuffer(JitterBuffer):
    """aiortc's buffer, which does not wait for the next frame to know that one is complete.

    aiortc's gives a frame when the first packet of the next one has come: every picture a step of
    the camera late, 33 ms at 30 a second. A frame's last packet is marked (RFC 7741, section 4.1).
    """

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        while True:
            packets, size = self._complete()
            if not size:
                return None
            self.remove(size)
            data = b"".join(packet._data for packet in packets)  # type: ignore[attr-defined]
            if data:  # else nothing but padding, with which a browser tries what the line carries
                return JitterFrame(data, packets[0].timestamp)

    def _complete(self) -> tuple[list[RtpPacket], int]:
        """Return the packets of the first frame, and how many they are; 0: some have not come."""
        packets: list[RtpPacket] = []
        for count in range(self._capacity):
            packet = self._packets[((self._origin or 0) + count) % self._capacity]
            if packet is None:
                break
            if packets and packet.timestamp != packets[0].timestamp:
                return packets, count
            packets.append(packet)
            if packet.marker:
                return packets, count + 1
        return packets, 0
