"""Every exception that shortlist raises on purpose; the native core raises the same ones."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "FormatError",
    "MismatchError",
    "NotFoundError",
    "RequestError",
    "ScoringError",
    "ShortlistError",
    "StorageError",
    "UnsupportedError",
]


class ShortlistError(Exception):
    """Base of all errors of this package."""


class ArgumentError(ShortlistError, ValueError):
    """A caller's value is out of its domain; the message names it and what was expected."""


class FormatError(ShortlistError, ValueError):
    """A file does not follow its format: truncated, inconsistent, or not that format at all."""


class NotFoundError(ShortlistError, LookupError):
    """A file, bundle version, tensor or name does not exist."""


class MismatchError(ShortlistError, ValueError):
    """Two parts that must agree do not, such as a fingerprint or a checksum."""


class UnsupportedError(ShortlistError, NotImplementedError):
    """Valid, but not handled by this version; the message names the construct."""


class StorageError(ShortlistError, OSError):
    """The operating system refused to read, write or map a file."""


class RequestError(ShortlistError, ValueError):
    """A request is malformed; the message names the field and what was expected. HTTP 400."""


class ScoringError(ShortlistError, RuntimeError):
    """The ranker failed or returned a score that is not finite. HTTP 500."""
