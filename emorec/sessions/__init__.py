"""What a live session leaves behind: its rows in memory, and what they add up to.

FrameResult -> timeline (rows) -> summary (figures); `emorec.rows` writes them as CSV and JSON.
"""
