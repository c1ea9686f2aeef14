"""Reads video files: file -> `reading` -> sinks and a report; `commands` is `emorec video`."""
