"""What a Prometheus is told, and where."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from emorec import monitoring


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.setattr(monitoring, "_server", None)
    yield
    if monitoring._server is not None:
        monitoring._server.shutdown()
        monitoring._server.server_close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        "|".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("emorec_")
    }


def test_it_is_off_by_default():
    monitoring.serve(None)
    assert monitoring._server is None


def test_a_scrape_tells_everything_by_the_names_promised():
    port = free_port()
    monitoring.serve(port)
    before = scrape(port)
    monitoring.FRAMES_IN.inc()
    monitoring.FRAMES_ANALYSED.inc(2)
    monitoring.FRAMES_DROPPED.inc(3)
    monitoring.ERRORS.labels("reading").inc()
    monitoring.STAGE_SECONDS.labels("detect").observe(0.02)
    monitoring.QUEUE_WAIT_SECONDS.observe(0.003)
    monitoring.LIVE_PLACES.set(5)
    after = scrape(port)
    told = {name: value - before.get(name, 0) for name, value in after.items()}
    assert told["emorec_frames_in_total"] == 1
    assert told["emorec_frames_analysed_total"] == 2
    assert told["emorec_frames_dropped_total"] == 3
    assert told["emorec_errors_total|reading"] == 1
    assert told["emorec_stage_seconds_count|detect"] == 1
    assert told["emorec_stage_seconds_sum|detect"] == pytest.approx(0.02)
    assert told["emorec_queue_wait_seconds_count"] == 1
    assert after["emorec_live_places"] == 5
    assert {"emorec_live_sessions", "emorec_turned_away_total"} <= after.keys()


def test_it_starts_once_however_often_the_script_runs(caplog):
    port = free_port()
    monitoring.serve(port)
    server = monitoring._server
    monitoring.serve(port)
    assert monitoring._server is server is not None
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_port_in_use_is_one_line_and_the_app_runs_on(caplog):
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        monitoring.serve(port)
    assert monitoring._server is None
    (record,) = caplog.records
    said = f"EMOREC_METRICS_PORT: no metrics, port {port} cannot be opened"
    assert record.message.startswith(said)
    assert record.exc_info is None
