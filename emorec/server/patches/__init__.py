"""What EmoRec changes in other libraries, one function a change; a file a library, or a part of it.

`emorec.server.start.prepare` applies them, once a process; only three of `component` are applied by
app.py. Every docstring begins with what the function replaces, then says why, and where the library
does what does not suit EmoRec. `CHECKED` holds the versions whose source was read for that. A test
fails when other versions are pinned or installed: read those places again, then change the version
here.
"""

from __future__ import annotations

from functools import cache

from emorec.server.patches import codecs, component, ice, packets, web

CHECKED = {
    "aioice": "0.13.0",
    "aiortc": "1.16.0",
    "starlette": "1.10.0",
    "streamlit": "1.67.0",
    "streamlit-webrtc": "0.79.0",
    "uvicorn": "0.54.0",
}


@cache
def apply() -> None:
    """Apply all but those that app.py applies; further calls do nothing."""
    web.limit_connections()
    web.keep_uploads_in_memory()
    web.keep_downloads_until_the_next_run()
    web.take_each_press_once()
    ice.notice_the_dead_sooner()
    component.join_the_ends_directly()
    packets.count_by_a_clock_that_never_jumps()
    packets.know_when_packets_arrived()
    packets.take_frames_when_they_are_complete()
    packets.judge_lines_by_their_queue()
    codecs.begin_at_full_size()
    codecs.send_sharp_pictures()
    codecs.take_vp8_alone()
    codecs.decode_within_limits()
    packets.take_few_streams()
    ice.try_few_addresses()
