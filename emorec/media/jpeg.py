"""What a JPEG costs to decode, told by its markers before it is decoded."""

from __future__ import annotations

import re

# In the coded data of a scan, 0xFF comes before 0x00 or before the number of a restart (D0 to D7);
# before anything else it begins a marker. ITU-T T.81, B.1.1.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_SCAN, _END = b"\xda", b"\xd9"
_BARE = (b"\x01", b"\xd8")  # markers without a segment


def scans(data: bytes, most: int) -> int:
    """Return the number of scans of a JPEG; counting stops just above ``most``.

    A decoder goes over the whole picture once for each scan, however little data the scan has. A
    camera writes one, an encoder of progressive pictures about ten.

    Args:
        data: the file, from its first byte on. Only its first picture is looked at.
        most: 0 or more.
    """
    count, place = 0, 2
    while count <= most and (found := _MARKER.search(data, place)):
        marker, place = found[1], found.end()
        if marker == _END:
            break
        count += marker == _SCAN
        if marker not in _BARE:
            place += int.from_bytes(data[place : place + 2], "big")
    return count
