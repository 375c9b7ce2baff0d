"""The MovieLens 100K files: taken out of a pinned wheel, and kept in a cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from shortlist.errors import FormatError, MismatchError, StorageError

__all__ = [
    "FILES",
    "LICENCE_NOTE",
    "DownloadError",
    "cache_folder",
    "download",
    "extract",
    "files_at_hand",
]

#: The files, and the SHA-256 of what the wheel holds under these names.
FILES = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}
LICENCE_NOTE = (
    "MovieLens 100K, collected by GroupLens Research at the University of Minnesota "
    "(Harper and Konstan 2015, doi:10.1145/2827872). Its terms: research use, acknowledge the "
    "source, no commercial use and no redistribution without permission."
)

REQUIREMENT = "recbole==1.2.1"
WHEEL = "recbole-1.2.1-py3-none-any.whl"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
FOLDER_IN_WHEEL = "recbole/dataset_example/ml-100k"
MAX_FILE_BYTES = 8 * 2**20
DOWNLOAD_TIMEOUT_S = 120


class DownloadError(StorageError):
    """The files are not in the cache, and the network or pip did not bring them."""


def cache_folder() -> Path:
    """Return where the files are kept: below XDG_CACHE_HOME, or ~/.cache."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The specification of these folders says to ignore a relative path.
    root = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return root / "shortlist" / "ml-100k"


def files_at_hand(folder: Path) -> bool:
    """Tell whether a folder holds exactly the files that the pinned wheel has.

    Raises
    ------
    StorageError
        A file is there but cannot be read.
    """
    paths = {folder / name: sha256 for name, sha256 in FILES.items()}
    return all(path.is_file() and _sha256(path) == sha256 for path, sha256 in paths.items())


def download(folder: Path) -> None:
    """Let pip fetch the wheel, check it, and put the three files into ``folder``.

    Raises
    ------
    DownloadError
        pip could not fetch the wheel; the message says both ways out.
    MismatchError
        The wheel is not the pinned one.
    FormatError, StorageError
    """
    with tempfile.TemporaryDirectory(prefix="shortlist-") as temporary:
        wheel = _fetch(Path(temporary))
        extract(wheel, folder)


def extract(wheel: Path, folder: Path, *, sha256: str = WHEEL_SHA256) -> None:
    """Check a wheel and put its three data files into ``folder``, each written whole or not at all.

    Parameters
    ----------
    wheel
        The zip file.
    folder
        Made if it does not exist.
    sha256
        What the wheel's bytes must give, in hexadecimal.

    Raises
    ------
    MismatchError
        The wheel's bytes are others; nothing of it was read as a zip file.
    FormatError
        An entry is absent, there twice, no plain file, too large or damaged.
    StorageError
    """
    found = _sha256(wheel)
    if found != sha256:
        raise MismatchError(f"{wheel.name}: SHA-256 is {found}, expected {sha256}")
    try:
        with zipfile.ZipFile(wheel) as entries:
            contents = {name: _read_entry(entries, name) for name in FILES}
    except zipfile.BadZipFile as error:
        raise FormatError(f"{wheel.name}: {error}") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _write(folder / name, content)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error


def _fetch(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--retries=1", "--timeout=15"]
    command += ["--dest", str(folder), REQUIREMENT]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
            command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise _unavailable(f"pip had not finished after {DOWNLOAD_TIMEOUT_S} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"pip ended with code {done.returncode}"]
        raise _unavailable(lines[-1])
    wheel = folder / WHEEL
    if not wheel.is_file():
        names = sorted(path.name for path in folder.iterdir())
        raise _unavailable(f"pip brought {', '.join(names) or 'nothing'}, expected {WHEEL}")
    return wheel


def _unavailable(reason: str) -> DownloadError:
    return DownloadError(
        f"MovieLens 100K is not in the cache {cache_folder()} and could not be downloaded "
        f"({reason}). Either connect to a package index and run again (pip fetches {REQUIREMENT}, "
        f"2 MB), or name a folder that holds {', '.join(FILES)}: shortlist demo --data FOLDER"
    )


def _read_entry(entries: zipfile.ZipFile, name: str) -> bytes:
    path = f"{FOLDER_IN_WHEEL}/{name}"
    found = [info for info in entries.infolist() if info.filename == path]
    if len(found) != 1:
        raise FormatError(f"{WHEEL}: holds {path} {len(found)} times, expected once")
    info = found[0]
    file_type = info.external_attr >> 16 & 0o170000
    if info.flag_bits & 1 or file_type not in (0, 0o100000):
        raise FormatError(f"{WHEEL}: {path} is no plain file")
    if info.file_size > MAX_FILE_BYTES:
        raise FormatError(
            f"{WHEEL}: {path} has {info.file_size} bytes, expected at most {MAX_FILE_BYTES}"
        )
    with entries.open(info) as entry:
        return entry.read(MAX_FILE_BYTES + 1)


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(content)
            file.close()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
