"""Metrics of the live sessions for a deployer's Prometheus; none identifies a visitor.

The counters always run, at almost no cost; `serve` lets Prometheus read them. Names follow
https://prometheus.io/docs/practices/naming.
"""

from __future__ import annotations

import logging
from threading import Lock
from wsgiref.simple_server import WSGIServer

from prometheus_client import Counter, Gauge, Histogram, start_http_server

log = logging.getLogger(__name__)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

LIVE_SESSIONS = Gauge("emorec_live_sessions", "Visitors who are live now.")
LIVE_PLACES = Gauge("emorec_live_places", "Visitors who may be live at once.")
TURNED_AWAY = Counter("emorec_turned_away", "Times that START met a full room.")
FRAMES_IN = Counter("emorec_frames_in", "Frames that came from cameras.")
FRAMES_ANALYSED = Counter("emorec_frames_analysed", "Frames that were read.")
FRAMES_DROPPED = Counter("emorec_frames_dropped", "Frames that a newer one overtook unread.")
STAGE_SECONDS = Histogram(
    "emorec_stage_seconds", "Time that a stage took for one frame.", ["stage"], buckets=_SECONDS
)
QUEUE_WAIT_SECONDS = Histogram(
    "emorec_queue_wait_seconds",
    "Time that faces waited for the classifier before it took them.",
    buckets=_SECONDS,
)
LOOP_LATE_SECONDS = Histogram(
    "emorec_loop_late_seconds", "How late the event loop's timer rang.", buckets=_SECONDS
)
PICTURES_PER_S = Gauge("emorec_pictures_per_s", "Pictures a second that each visitor gets.")
ERRORS = Counter("emorec_errors", "What went wrong: reading, drawing or classifying.", ["kind"])
for _kind in ("reading", "drawing", "classifying"):
    ERRORS.labels(_kind)  # exports a count of 0 too: alerts need a first value

_lock = Lock()
_server: WSGIServer | None = None


def serve(port: int | None) -> None:
    """Serve the metrics on all interfaces; do nothing if they are already served.

    If the port cannot be opened, one line is logged, and the app runs without metrics.

    Args:
        port: ``EMOREC_METRICS_PORT``; None serves no metrics.
    """
    global _server
    with _lock:
        if port is None or _server is not None:
            return
        try:
            _server, _ = start_http_server(port)
        except OSError as error:
            log.error(
                "EMOREC_METRICS_PORT: no metrics, port %d cannot be opened (%s).",
                port,
                error.strerror,
            )
        else:
            log.info("metrics are served on port %d", port)
