"""Reading a request's body within a size and a time: 408, 411, 413 and 415 are decided here.

The HTTP server below limits the time of the headers but neither the size nor the time of a body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shortlist.serving.asgi import Receive
from shortlist.serving.errors import ClientDisconnectedError, HttpError

__all__ = ["check_content_type", "read_body"]

# What is left unread cannot be skipped cheaply: the connection ends with the reply.
CLOSE = ((b"connection", b"close"),)
# The media type that curl and wget claim for any posted data.
FORM = b"application/x-www-form-urlencoded"


def check_content_type(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that says it is not JSON in UTF-8.

    No type at all, any ``json`` type, ``text/plain`` and the default of ``curl -d`` are taken.

    Raises
    ------
    HttpError : 415, when the type, its charset or a content encoding cannot be read.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b""):
        raise HttpError(415, f"Content-Encoding is {_shown(encoding)}; expected none")
    content_type = headers.get(b"content-type")
    if content_type is None or content_type == b"application/json":
        return
    media, *parameters = (part.strip() for part in content_type.lower().split(b";"))
    is_json = media.endswith((b"/json", b"+json"))
    if not is_json and media not in (b"", b"text/plain", FORM):
        raise HttpError(415, f"Content-Type is {_shown(media)}; expected application/json")
    for parameter in parameters:
        key, _, value = parameter.partition(b"=")
        charset = value.strip(b"\"' ")
        if key.strip() == b"charset" and charset not in (b"utf-8", b"utf8", b"us-ascii"):
            raise HttpError(415, f"charset is {_shown(charset)}; expected utf-8")


async def read_body(
    headers: Mapping[bytes, bytes],
    receive: Receive,
    *,
    http_version: str,
    limit_bytes: int,
    timeout_s: float,
) -> bytes:
    """Read the whole body of a request.

    Parameters
    ----------
    headers : the request's, names in lower case.
    receive : ASGI's source of body parts.
    http_version : such as "1.1"; HTTP/1 must say that a body comes, HTTP/2 need not.
    limit_bytes : the most that is taken; a longer declared length is refused unread.
    timeout_s : the most seconds from here to the last byte.

    Raises
    ------
    HttpError : 400 or 411 for a bad or no length, 413 above the limit, 408 when too slow.
    ClientDisconnectedError : the client left before its body was complete.
    """
    is_http1 = http_version.startswith("1")
    _check_length(headers, is_http1=is_http1, limit_bytes=limit_bytes)
    try:
        async with asyncio.timeout(timeout_s):
            return await _receive_all(receive, is_http1=is_http1, limit_bytes=limit_bytes)
    except TimeoutError:
        message = f"the body did not arrive within {timeout_s:g} s"
        raise HttpError(408, message, headers=CLOSE if is_http1 else ()) from None


def _check_length(headers: Mapping[bytes, bytes], *, is_http1: bool, limit_bytes: int) -> None:
    declared = headers.get(b"content-length")
    if declared is None:
        if is_http1 and b"transfer-encoding" not in headers:
            raise HttpError(411, "no Content-Length; expected a JSON object as the body")
        return
    if not declared.isdigit():
        raise HttpError(400, f"Content-Length is {_shown(declared)}; expected a number of bytes")
    # 20 digits are more than any limit, and int() of a very long text is slow.
    if len(declared) > 20 or int(declared) > limit_bytes:
        raise _too_large(is_http1=is_http1, limit_bytes=limit_bytes)


async def _receive_all(receive: Receive, *, is_http1: bool, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    n_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnectedError
        part = message.get("body", b"")
        n_bytes += len(part)
        if n_bytes > limit_bytes:
            raise _too_large(is_http1=is_http1, limit_bytes=limit_bytes)
        if not message.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


def _too_large(*, is_http1: bool, limit_bytes: int) -> HttpError:
    message = f"the body is too large; expected at most {limit_bytes} bytes"
    return HttpError(413, message, headers=CLOSE if is_http1 else ())


def _shown(value: bytes) -> str:
    return repr(value[:80].decode("latin-1"))
