"""The few ASGI 3.0 types that the server uses (https://asgi.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NotRequired, TypedDict

__all__ = ["HttpScope", "Message", "Receive", "Scope", "Send"]


class HttpScope(TypedDict):
    """What is known of a request before its body."""

    type: Literal["http"]
    method: str
    path: str
    query_string: bytes
    http_version: str
    headers: list[tuple[bytes, bytes]]


class OtherScope(TypedDict):
    """Lifespan events and websockets."""

    type: Literal["lifespan", "websocket"]


class Message(TypedDict):
    """An event in either direction; which keys there are depends on the type."""

    type: str
    body: NotRequired[bytes]
    more_body: NotRequired[bool]
    status: NotRequired[int]
    headers: NotRequired[list[tuple[bytes, bytes]]]


Scope = HttpScope | OtherScope
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
