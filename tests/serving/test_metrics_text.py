"""The metrics page: its format, its numbers, and counting across processes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from shortlist.serving.http_counters import HttpCounters

SAMPLE = re.compile(
    r'^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\d+(?:\.\d+)?(?:e-?\d+)?)$'
)
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


def samples(text: str) -> dict[str, float]:
    """Read every sample, and fail on a line that is neither sample nor comment."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        match = SAMPLE.match(line)
        assert match, line
        key = f"{match[1]}{{{match[2]}}}"
        assert key not in found, key
        found[key] = float(match[3])
    return found


def test_engine_counters_are_shown(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    shown = samples(answer.body.decode())
    at = 'model="movies",version="v1"'
    assert shown[f'shortlist_requests_total{{{at},route="rank"}}'] == 7
    assert shown[f'shortlist_errors_total{{{at},route="rank"}}'] == 2
    assert shown[f'shortlist_requests_total{{{at},route="score"}}'] == 1
    assert shown[f"shortlist_fallbacks_total{{{at}}}"] == 4
    assert shown[f"shortlist_model{{{at}}}"] == 1
    assert shown[f"shortlist_uncounted_unknown_attributes_total{{{at}}}"] == 9
    name = r"od\"d\\na\nme"
    assert shown[f'shortlist_unknown_attributes_total{{{at},attribute="{name}"}}'] == 3


def test_stage_histograms_are_cumulative_in_seconds(client):
    shown = samples(client.get("/metrics").body.decode())
    at = 'model="movies",version="v1",route="rank",stage="parse"'
    bucket = "shortlist_stage_seconds_bucket"
    assert shown[f'{bucket}{{{at},le="2.56e-07"}}'] == 0
    assert shown[f'{bucket}{{{at},le="5.12e-07"}}'] == 1
    assert shown[f'{bucket}{{{at},le="1.024e-06"}}'] == 3
    assert shown[f'{bucket}{{{at},le="2.048e-06"}}'] == 5
    assert shown[f'{bucket}{{{at},le="17.179869184"}}'] == 5
    assert shown[f'{bucket}{{{at},le="+Inf"}}'] == 6
    assert shown[f"shortlist_stage_seconds_count{{{at}}}"] == 6
    assert shown[f"shortlist_stage_seconds_sum{{{at}}}"] == 6e-6


def test_openmetrics_is_given_when_accepted(client):
    answer = client.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    text = answer.body.decode()
    assert text.endswith("\n# EOF\n")
    assert "# TYPE shortlist_requests counter\n" in text
    assert samples(text)['shortlist_requests_total{model="movies",version="v1",route="rank"}'] == 7


@pytest.mark.parametrize("headers", [OPENMETRICS, {}], ids=["openmetrics", "prometheus"])
def test_the_reference_parser_reads_the_page(client, headers):
    pytest.importorskip("prometheus_client")
    if headers:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    else:
        from prometheus_client.parser import text_string_to_metric_families
    text = client.get("/metrics", headers=headers).body.decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"shortlist_requests", "shortlist_stage_seconds", "shortlist_model"} <= names


def test_replies_are_counted_by_route_and_status(client):
    for _ in range(3):
        client.post("/v1/rank", {})
    client.post("/v1/rank", b"{")
    client.get("/nowhere")
    client.get("/metrics")
    shown = samples(client.get("/metrics").body.decode())
    replies = {key: value for key, value in shown.items() if "http_replies" in key}
    assert replies == {
        'shortlist_http_replies_total{route="rank",status="200"}': 3,
        'shortlist_http_replies_total{route="rank",status="400"}': 1,
        'shortlist_http_replies_total{route="unknown",status="404"}': 1,
        'shortlist_http_replies_total{route="metrics",status="200"}': 1,
    }


def test_an_unlisted_status_is_counted_as_other():
    counters = HttpCounters()
    counters.add("rank", 418)
    assert counters.snapshot() == {("rank", 0): 1}


COUNT = """
import sys
from pathlib import Path
from shortlist.serving.http_counters import HttpCounters
HttpCounters(Path(sys.argv[1]), n_slots=2).add("rank", 200)
"""


def test_processes_share_counters_and_a_new_one_takes_a_dead_ones_slot(tmp_path: Path):
    path = tmp_path / "http.counters"
    here = HttpCounters(path, n_slots=2)
    here.add("rank", 200)
    for _ in range(3):
        subprocess.run([sys.executable, "-W", "error", "-c", COUNT, str(path)], check=True)
    assert here.snapshot() == {("rank", 200): 4}


def test_more_processes_than_slots_are_refused(tmp_path: Path):
    path = tmp_path / "http.counters"
    keep = HttpCounters(path, n_slots=1)
    code = COUNT.replace("n_slots=2", "n_slots=1")
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "all 1 slots are taken" in ended.stderr
    assert keep.snapshot() == {}
