"""The demonstration runs from the files to answers over HTTP, and refuses a poor ranker."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import urllib.request

import numpy as np
import pytest
from demo_console import COMMAND, serving
from demo_files import write_files

from shortlist.demo import archive, demonstration, run
from shortlist.demo.evaluate import Quality, Report
from shortlist.errors import MismatchError


def test_the_demonstration_trains_packs_measures_and_serves(shared_path, tmp_path):
    data, output = shared_path("data", "ml-100k"), tmp_path / "bundles" / "movies"
    command = [COMMAND, "demo", "--data", data, "--output", output, "--port", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process,
        serving(process, process.stdout) as lines,
    ):
        printed = list(until(lines, "curl "))
        answer = asked_as_by_curl(printed[-1])
    text = "".join(printed)

    assert archive.LICENCE_NOTE in text
    quality = {
        name.strip(): [float(cell) for cell in cells]
        for name, *cells in re.findall(r"│ (.*?) │ +(0\.\d+) │ +(0\.\d+) │ +(0\.\d+) │", text)
    }
    ranker = quality.pop("ranker, of 500 by vectors")
    assert set(quality) == {"popularity", "popularity of the last 30 days", "vectors alone"}
    assert (np.array(ranker) > np.array(list(quality.values()))).all()
    for stage in ("retrieve", "features", "score", "total"):
        assert re.search(rf"│ {stage} +│ +[0-9.]+ │ +[0-9.]+ │", text)
    assert "Good Will Hunting (1997)" in text
    assert sorted(path.name for path in output.iterdir() if path.name[0] != ".") == ["v1"]
    assert len(answer["ids"]) == 5
    assert answer["version"] == "v1"


def until(lines, start):
    """Give lines to the first that begins so, or to the end."""
    for line in lines:
        yield line
        if line.startswith(start):
            return


def asked_as_by_curl(line):
    """Do what a printed curl command does."""
    _, _, url, _, header, _, body = shlex.split(line)
    name, value = header.split(": ")
    request = urllib.request.Request(url, body.encode(), {name: value})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


def test_a_ranker_that_is_no_better_is_not_packed(tmp_path, monkeypatch):
    poor = Report(Quality(0.1, 0.1, 0.5), {"popularity": Quality(0.2, 0.2, 0.6)})
    monkeypatch.setattr(demonstration, "_measured", lambda trained: poor)

    with pytest.raises(MismatchError, match=r"must beat popularity.*NDCG@10 of the ranker is 0\.1"):
        run(data=write_files(tmp_path), output=tmp_path / "movies", serve=False, port=0)

    assert not (tmp_path / "movies").exists()


def test_files_in_the_cache_are_not_downloaded_again(shared_path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = archive.cache_folder()
    cache.mkdir(parents=True)
    for name in archive.FILES:
        (cache / name).symlink_to(shared_path("data", "ml-100k") / name)
    monkeypatch.setattr(archive, "download", lambda folder: pytest.fail("downloaded"))
    monkeypatch.setattr(demonstration, "train", stop)

    with pytest.raises(ReachedError):
        run(data=None, output=tmp_path / "movies", serve=False, port=0)


class ReachedError(Exception):
    """The run came so far."""


def stop(*_):
    raise ReachedError
