"""Versions of a bundle: folders v1, v2, ... side by side; the latest is the highest complete."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from shortlist.bundle.manifest import FILE_NAME
from shortlist.errors import NotFoundError, StorageError

__all__ = ["latest", "next_number", "resolve", "versions"]

_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


def resolve(path: str | os.PathLike[str]) -> Path:
    """Folder of one version, told from a bundle's folder or the version's own.

    Parameters
    ----------
    path
        A folder with a bundle.json is a version itself; of a folder of versions the latest counts.

    Raises
    ------
    NotFoundError
        There is no such folder, or no version in it.
    StorageError
        The folder could not be read.
    """
    folder = Path(path)
    return folder if _is_version(folder) else latest(folder)


def latest(root: str | os.PathLike[str]) -> Path:
    """Highest complete version in a bundle's folder; raises as `resolve`."""
    found = versions(root)
    if not found:
        raise NotFoundError(
            f"{os.fspath(root)}: no bundle here: neither {FILE_NAME} nor a version folder such as "
            f"v1 with one"
        )
    return found[-1]


def versions(root: str | os.PathLike[str]) -> list[Path]:
    """Complete versions in a bundle's folder, in ascending order of their numbers.

    Symbolic links, temporary folders and folders without bundle.json do not count.

    Raises
    ------
    NotFoundError, StorageError
    """
    folder = Path(root)
    numbers = [number for number in _numbers(folder) if _is_own_version(folder / f"v{number}")]
    return [folder / f"v{number}" for number in sorted(numbers)]


def next_number(root: str | os.PathLike[str]) -> int:
    """One above every number in use, be its version complete or not; raises as `versions`."""
    return max(_numbers(Path(root)), default=0) + 1


def _numbers(root: Path) -> list[int]:
    try:
        matches = [_VERSION.fullmatch(entry.name) for entry in root.iterdir()]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{root}: {error.strerror}") from None
    except OSError as error:
        raise StorageError(f"{root}: {error.strerror}") from error
    return [int(match[1]) for match in matches if match]


def _is_version(folder: Path) -> bool:
    try:
        return stat.S_ISREG((folder / FILE_NAME).lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error


def _is_own_version(folder: Path) -> bool:
    return not folder.is_symlink() and _is_version(folder)
