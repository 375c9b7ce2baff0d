"""The data set's files come from the pinned wheel alone, and what is wrong is said."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from shortlist.demo import archive
from shortlist.errors import FormatError, MismatchError

FOLDER = "recbole/dataset_example/ml-100k"
CONTENTS = {f"{FOLDER}/{name}": name.encode() * 3 for name in archive.FILES}


def make_wheel(path: Path, contents: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as entries:
        for name, content in contents.items():
            entries.writestr(name, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_three_files_are_extracted_and_nothing_else(tmp_path):
    sha256 = make_wheel(tmp_path / "a.whl", CONTENTS | {"../evil": b"x", "recbole/code.py": b"y"})

    archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(archive.FILES)
    assert not (tmp_path / "evil").exists()
    for name in archive.FILES:
        assert (tmp_path / "out" / name).read_bytes() == name.encode() * 3


def test_a_wheel_with_other_bytes_is_refused_before_it_is_read(tmp_path):
    make_wheel(tmp_path / "a.whl", CONTENTS)

    with pytest.raises(MismatchError, match=rf"a\.whl: SHA-256 is .*{archive.WHEEL_SHA256}"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(b"no zip")

    with pytest.raises(FormatError, match="not a zip file"):
        archive.extract(wheel, tmp_path, sha256=hashlib.sha256(b"no zip").hexdigest())


def test_a_wheel_without_one_of_the_files_is_refused(tmp_path):
    contents = dict(CONTENTS)
    del contents[f"{FOLDER}/ml-100k.user"]
    sha256 = make_wheel(tmp_path / "a.whl", contents)

    with pytest.raises(FormatError, match=r"ml-100k\.user 0 times, expected once"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)

    assert not (tmp_path / "out").exists()


def test_a_wheel_with_a_file_twice_is_refused(tmp_path):
    make_wheel(tmp_path / "a.whl", CONTENTS)
    name = f"{FOLDER}/ml-100k.user"
    with (
        zipfile.ZipFile(tmp_path / "a.whl", "a") as entries,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        entries.writestr(name, b"again")
    sha256 = hashlib.sha256((tmp_path / "a.whl").read_bytes()).hexdigest()

    with pytest.raises(FormatError, match=r"ml-100k\.user 2 times"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)


def test_an_entry_that_is_a_symbolic_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as entries:
        for name, content in CONTENTS.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            entries.writestr(info, content)
    sha256 = hashlib.sha256((tmp_path / "a.whl").read_bytes()).hexdigest()

    with pytest.raises(FormatError, match="is no plain file"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)


def test_an_entry_that_is_too_large_is_refused(tmp_path):
    large = {name: bytes(archive.MAX_FILE_BYTES + 1) for name in CONTENTS}
    sha256 = make_wheel(tmp_path / "a.whl", large)

    with pytest.raises(FormatError, match="expected at most"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)


def test_a_damaged_entry_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as entries:
        for name, content in CONTENTS.items():
            entries.writestr(name, content)
    damaged = (tmp_path / "a.whl").read_bytes().replace(b"ml-100k.interml", b"ml-100k.intermL")
    (tmp_path / "a.whl").write_bytes(damaged)
    sha256 = hashlib.sha256(damaged).hexdigest()

    with pytest.raises(FormatError, match="CRC"):
        archive.extract(tmp_path / "a.whl", tmp_path / "out", sha256=sha256)


def test_without_network_and_cache_the_error_says_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_FIND_LINKS": "",
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(archive.DownloadError) as caught:
        archive.download(archive.cache_folder())

    message = str(caught.value)
    assert "could not be downloaded (ERROR: No matching distribution found" in message
    assert "connect to a package index and run again" in message
    assert "shortlist demo --data FOLDER" in message
    assert all(name in message for name in archive.FILES)
    assert not (tmp_path / "cache").exists()


def test_a_download_that_takes_too_long_says_both_ways_out(tmp_path, monkeypatch):
    def never_ends(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", never_ends)

    with pytest.raises(archive.DownloadError, match=r"not finished after 120 s.*--data FOLDER"):
        archive.download(tmp_path)


def test_pip_of_the_running_interpreter_fetches_the_pinned_version(tmp_path, monkeypatch):
    asked = []

    def fetch(command, **_):
        asked.extend(command)
        make_wheel(Path(command[command.index("--dest") + 1]) / archive.WHEEL, CONTENTS)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", fetch)

    with pytest.raises(MismatchError, match=archive.WHEEL_SHA256):
        archive.download(tmp_path / "out")

    assert asked[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in asked
    assert asked[-1] == "recbole==1.2.1"
    assert not (tmp_path / "out").exists()


def test_the_cache_follows_xdg_cache_home_unless_it_is_relative(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert archive.cache_folder() == tmp_path / "cache" / "shortlist" / "ml-100k"

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert archive.cache_folder() == tmp_path / "home" / ".cache" / "shortlist" / "ml-100k"

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert archive.cache_folder() == tmp_path / "home" / ".cache" / "shortlist" / "ml-100k"


def test_files_at_hand_are_told_by_their_checksums(tmp_path, shared_path):
    source = shared_path("data", "ml-100k")
    assert archive.files_at_hand(source)
    assert not archive.files_at_hand(tmp_path)

    for name in archive.FILES:
        (tmp_path / name).write_bytes((source / name).read_bytes())
    assert archive.files_at_hand(tmp_path)

    with (tmp_path / "ml-100k.user").open("ab") as file:
        file.write(b"\n")
    assert not archive.files_at_hand(tmp_path)
