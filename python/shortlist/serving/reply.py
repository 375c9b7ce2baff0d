"""One HTTP reply as a value, and its way out."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shortlist.serving.asgi import Send

__all__ = ["JSON", "Reply", "json_reply", "send_reply"]

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers; the length is added when it is sent."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_reply(
    status: int, content: object, *, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Reply:
    """Encode ``content`` as the JSON body of a reply."""
    return Reply(status, msgspec.json.encode(content), headers=headers)


async def send_reply(send: Send, reply: Reply, *, with_body: bool = True) -> None:
    """Send a reply; ``with_body=False`` answers HEAD: the same headers and nothing after them."""
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body if with_body else b""
    await send({"type": "http.response.body", "body": body, "more_body": False})
