"""Publishing a version: written to a temporary folder, made durable, then renamed to its number.

A reader sees a version whole or not at all. A publisher that dies leaves a temporary folder, which
nobody reads and the next publisher removes: whoever writes one holds a lock on it (flock), and the
system drops that lock with the process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shortlist.bundle import manifest as manifests
from shortlist.bundle.manifest import Manifest
from shortlist.bundle.versions import next_number
from shortlist.errors import ArgumentError, StorageError

__all__ = ["Draft", "publish"]

_PREFIX = ".tmp-"
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class Draft:
    """A version that is being written.

    Attributes
    ----------
    path
        The temporary folder to write files into.
    published
        The version's folder, once it is there.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.published: Path | None = None
        self._number = number
        self._manifest: Manifest | None = None

    @property
    def version(self) -> str:
        """The version it will most likely be: ``"v3"``."""
        return f"v{self._number}"

    def write_manifest(self, manifest: Manifest) -> None:
        """Write bundle.json, with the draft's version whatever `manifest` says."""
        self._manifest = msgspec.structs.replace(manifest, version=self.version)
        (self.path / manifests.FILE_NAME).write_bytes(manifests.encode(self._manifest))

    def _commit(self, root: Path) -> None:
        if self._manifest is None:
            raise ArgumentError(f"{root}: a version needs a {manifests.FILE_NAME}")
        for file in sorted(self.path.iterdir()):
            _sync(file)
        while True:
            _sync(self.path)
            target = root / self.version
            # An empty folder would be replaced, so that a number in use is never tried.
            if not os.path.lexists(target):
                try:
                    self.path.rename(target)
                    break
                except OSError as error:
                    if error.errno not in _TAKEN:
                        raise
            self._number = max(self._number + 1, next_number(root))
            self.write_manifest(self._manifest)
            _sync(self.path / manifests.FILE_NAME)
        _sync(root)
        self.published = target


@contextmanager
def publish(root: str | os.PathLike[str]) -> Iterator[Draft]:
    """Publish what the block writes as the next version, or nothing if the block raises.

    Parameters
    ----------
    root
        The bundle's folder; made if need be. May be a symbolic link to a folder.

    Yields
    ------
    The draft. The block writes flat files into its `path` and calls `write_manifest`; afterwards
    `published` is the version's folder. A number that another publisher takes meanwhile is skipped.

    Raises
    ------
    StorageError
        The system refused to write; nothing is published.
    """
    folder = Path(root)
    try:
        _make_folders(folder)
        _remove_stale(folder)
        temporary, lock = _make_temporary(folder)
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: {error.strerror}") from error
    draft = Draft(temporary, next_number(folder))
    try:
        yield draft
        draft._commit(folder)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{error.filename or folder}: {error.strerror or error}") from error
    finally:
        if draft.published is None:
            shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def _make_folders(folder: Path) -> None:
    """Make a folder and its parents, each entry durable."""
    if folder.is_dir():
        return
    if os.path.lexists(folder):
        raise NotADirectoryError(errno.ENOTDIR, "is no folder", str(folder))
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _make_temporary(root: Path) -> tuple[Path, int]:
    """Make a temporary folder; returns it with a descriptor that holds its lock."""
    while True:
        path = root / f"{_PREFIX}{secrets.token_hex(8)}"
        path.mkdir()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # between mkdir and open, another publisher took it for a stale one
        _lock(descriptor, wait=True)
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def _remove_stale(root: Path) -> None:
    """Remove temporary folders whose publisher is gone."""
    for path in root.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed or published meanwhile, or not ours
        except OSError as error:
            if error.errno == errno.ELOOP:
                continue
            raise
        try:
            if _lock(descriptor, wait=False):
                shutil.rmtree(path, ignore_errors=True)  # whatever stays is tried again next time
        finally:
            os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock a folder; False where another process has it or the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _sync(path: Path) -> None:
    """Make a file's content, or a folder's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone stops at the drive's cache
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
