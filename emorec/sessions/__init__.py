"""The record of a live session: its rows in memory, and a summary of them.

FrameResult -> timeline (rows) -> summary (figures); `emorec.rows` writes them as CSV and JSON.
"""
