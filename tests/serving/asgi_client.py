"""Drives an ASGI application in this process, without sockets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from shortlist.serving.app import Application


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


class Client:
    """One request a call; ``parts`` sends a body in pieces, with None for a client that leaves."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def get(self, target: str, **options) -> Answer | None:
        return self.request("GET", target, **options)

    def post(self, target: str, content: object = None, **options) -> Answer | None:
        if content is not None:
            options["parts"] = [content if isinstance(content, bytes) else encode(content)]
        return self.request("POST", target, **options)

    def request(self, method: str, target: str, **options) -> Answer | None:
        return asyncio.run(self.send(method, target, **options))

    async def send(
        self,
        method: str,
        target: str,
        *,
        parts: list[bytes | None] | None = None,
        headers: dict[str, str] | None = None,
        http_version: str = "1.1",
        stall: bool = False,
    ) -> Answer | None:
        path, _, query = target.partition("?")
        all_headers = {"host": "test"}
        if parts is not None:
            all_headers["content-length"] = str(sum(len(part or b"") for part in parts))
        all_headers.update(headers or {})
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "http_version": http_version,
            "headers": [(k.encode(), v.encode()) for k, v in all_headers.items() if v != ""],
        }
        events = list(parts or [b""])
        sent: list[dict] = []

        async def receive() -> dict:
            if stall:
                await asyncio.sleep(60)
            part = events.pop(0)
            if part is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": part, "more_body": bool(events)}

        async def send(message: dict) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        if not sent:
            return None
        start, end = sent
        assert (start["type"], end["type"]) == ("http.response.start", "http.response.body")
        shown = {k.decode(): v.decode() for k, v in start["headers"]}
        return Answer(start["status"], shown, end["body"])


def encode(content: object) -> bytes:
    return json.dumps(content).encode()
