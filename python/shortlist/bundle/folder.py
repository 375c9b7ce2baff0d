"""One version's folder held open: its files are reached by flat names, never through links."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from shortlist import safetensors
from shortlist.errors import FormatError, NotFoundError, StorageError
from shortlist.safetensors import Array

__all__ = ["Folder", "is_flat_name"]

_FLAT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def is_flat_name(name: str) -> bool:
    """Tell names that cannot leave a folder, such as ``items.safetensors``, from all others."""
    return _FLAT_NAME.fullmatch(name) is not None


class Folder:
    """An open folder; the path itself may be a symbolic link, what is inside may not.

    Parameters
    ----------
    path
        The folder. It is opened here, once: a link that moves later changes nothing.

    Raises
    ------
    NotFoundError, StorageError
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"{self.path}: {error.strerror}") from None
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror}") from error

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def names(self) -> list[str]:
        """Everything in the folder, sorted."""
        with os.scandir(self._descriptor) as entries:
            return sorted(entry.name for entry in entries)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        with self._opened(name) as descriptor:
            return os.fstat(descriptor).st_size

    def sha256(self, name: str) -> str:
        """SHA-256 of a file, in hexadecimal."""
        with self._opened(name) as descriptor, open(descriptor, "rb", closefd=False) as file:
            try:
                return hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise StorageError(f"{name}: {error.strerror}") from error

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """Content of a file; one above `max_bytes` is refused before it is read."""
        with self._opened(name) as descriptor, open(descriptor, "rb", closefd=False) as file:
            n_bytes = os.fstat(descriptor).st_size
            if n_bytes > max_bytes:
                raise FormatError(f"{name}: {n_bytes} bytes, at most {max_bytes} are taken")
            try:
                return file.read()
            except OSError as error:
                raise StorageError(f"{name}: {error.strerror}") from error

    def tensors(self, name: str) -> tuple[dict[str, Array], dict[str, str]]:
        """Arrays and metadata of a safetensors file, see `shortlist.safetensors.load`."""
        with self._opened(name) as descriptor:
            return safetensors.load_descriptor(descriptor, name)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """Open a regular file of this folder for reading."""
        if not is_flat_name(name):
            raise FormatError(f"{name!r}: not a plain file name, it could leave the folder")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise NotFoundError(f"{name}: missing from {self.path}") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FormatError(f"{name}: is a symbolic link, which is refused") from None
            raise StorageError(f"{name}: {error.strerror}") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FormatError(f"{name}: not a regular file")
            yield descriptor
        finally:
            os.close(descriptor)
