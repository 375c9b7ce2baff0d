"""A version appears whole or not at all, whatever happens to who writes it."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from publisher import write_version

from shortlist.bundle import manifest as manifests
from shortlist.bundle import publish as publishing
from shortlist.bundle.files import check_files
from shortlist.bundle.folder import Folder
from shortlist.bundle.publish import publish
from shortlist.bundle.versions import latest, versions
from shortlist.errors import ArgumentError, StorageError

KILLS = 50


def check(version: Path) -> str:
    with Folder(version) as folder:
        manifest = manifests.read(folder)
        check_files(folder, manifest, full=True)
    assert manifest.version == version.name
    return manifest.version


def temporary(root: Path) -> list[Path]:
    return list(root.glob(".tmp-*"))


def test_versions_stand_side_by_side(tmp_path):
    root = tmp_path / "deep" / "movies"
    for seed in (1, 2, 3):
        with publish(root) as draft:
            write_version(draft, seed)
        assert draft.published == root / f"v{seed}"
    assert [check(version) for version in versions(root)] == ["v1", "v2", "v3"]
    assert temporary(root) == []


def test_a_failing_publisher_leaves_nothing(tmp_path):
    with publish(tmp_path) as draft:
        write_version(draft, 1)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), publish(tmp_path) as draft:
            write_version(draft, 2)
            raise error
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_version_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"bundle\.json"), publish(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_and_publishes_nothing(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="No space left"), publish(tmp_path) as draft:
        write_version(draft, 1)
        monkeypatch.setattr(publishing.os, "fsync", full)
    assert versions(tmp_path) == []
    assert temporary(tmp_path) == []


def test_everything_is_synced_before_the_rename_and_the_folder_after_it(tmp_path, monkeypatch):
    events = []
    fsync, rename = os.fsync, Path.rename

    def note_sync(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    def note_rename(path: Path, target: Path) -> Path:
        events.append("rename")
        return rename(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name what is synced")
    monkeypatch.setattr(publishing.os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    with publish(tmp_path) as draft:
        write_version(draft, 1)
    files = {draft.path / file.name for file in draft.published.iterdir()}
    at = events.index("rename")
    assert set(events[: at - 1]) == files
    assert events[at - 1] == draft.path
    assert events[at + 1 :] == [tmp_path]


def test_a_number_taken_meanwhile_is_skipped(tmp_path):
    with publish(tmp_path) as slow:
        write_version(slow, 1)
        for seed in (2, 3):
            with publish(tmp_path) as fast:
                write_version(fast, seed)
        (tmp_path / "v3").mkdir()
    assert slow.published == tmp_path / "v4"
    assert [check(version) for version in versions(tmp_path)] == ["v1", "v2", "v4"]


def test_many_publishers_at_once_lose_nothing(tmp_path):
    failures = []

    def work(seed: int) -> None:
        try:
            for i in range(5):
                with publish(tmp_path) as draft:
                    write_version(draft, 10 * seed + i)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [check(version) for version in versions(tmp_path)] == [f"v{i}" for i in range(1, 21)]
    assert temporary(tmp_path) == []


def test_the_folder_of_versions_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "movies").symlink_to(tmp_path / "real")
    with publish(tmp_path / "movies") as draft:
        write_version(draft, 1)
    assert check(tmp_path / "real" / "v1") == "v1"


def test_folders_of_the_dead_are_removed_those_of_the_living_are_not(tmp_path):
    (tmp_path / ".tmp-dead").mkdir()
    (tmp_path / ".tmp-dead" / "half.bin").write_bytes(b"x")
    (tmp_path / ".tmp-link").symlink_to(tmp_path)
    with publish(tmp_path) as living:
        write_version(living, 1)
        with publish(tmp_path) as other:
            write_version(other, 2)
        assert living.path.is_dir()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".tmp-link", "v1", "v2"]


@pytest.fixture
def nursery(tmp_path):
    """Starts publishers into the test's folder, one after another."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("publisher.py")), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """Lines up to one that begins with `last`."""
    lines = [process.stdout.readline().strip()]
    while not lines[-1].startswith(last):
        assert lines[-1], "the publisher's parent is gone"
        lines.append(process.stdout.readline().strip())
    return lines


def test_publishers_killed_at_any_moment_leave_whole_versions(tmp_path, nursery):
    moments = random.Random(11)
    halves = 0
    for kill in range(KILLS):
        print(1000 * kill, file=nursery.stdin)
        told = lines_until(nursery, "child")
        child = int(told[-1].split()[1])
        if not any(line.startswith("v") for line in told):
            told += lines_until(nursery, "v")
        time.sleep(moments.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        told += lines_until(nursery, "dead")
        finished = max(int(line[1:]) for line in told if line.startswith("v"))
        assert check(latest(tmp_path)) in (f"v{finished}", f"v{finished + 1}")
        halves += bool(temporary(tmp_path))
        assert len(temporary(tmp_path)) <= 1
    assert halves > 0, "no kill struck while a version was being written"
    for version in versions(tmp_path):
        check(version)
    with publish(tmp_path) as draft:
        write_version(draft, 0)
    assert temporary(tmp_path) == []
