"""The ASGI application: from a request's path to the reply."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from shortlist.serving.asgi import HttpScope, Receive, Scope, Send
from shortlist.serving.body import check_content_type, read_body
from shortlist.serving.calls import CallRunner
from shortlist.serving.deployment import Deployment
from shortlist.serving.errors import ClientDisconnectedError, error_reply
from shortlist.serving.http_counters import HttpCounters
from shortlist.serving.metrics import metrics_reply
from shortlist.serving.reply import Reply, json_reply, send_reply
from shortlist.serving.routes import Route, read_flags, resolve

__all__ = ["Application", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one request, and all together, may take.

    Parameters
    ----------
    body_bytes : the largest body.
    body_timeout_s : the most seconds a body may take to arrive.
    n_threads : how many calls that are not short run at once; None is one for each CPU.
    max_waiting : how many such calls may run or wait before more are answered by 503.
    """

    body_bytes: int = 16 * 2**20
    body_timeout_s: float = 10.0
    n_threads: int | None = None
    max_waiting: int = 1024


class Application:
    """Serves a deployment over ASGI.

    Parameters
    ----------
    deployment : what is served; assigning another to the attribute replaces it for new requests.
    limits : bounds on requests.
    http_counters : where replies are counted; None counts in this process alone.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        limits: Limits | None = None,
        http_counters: HttpCounters | None = None,
    ) -> None:
        self.deployment = deployment
        self._limits = limits or Limits()
        self._http_counters = http_counters or HttpCounters()
        self._runner = CallRunner(
            n_threads=self._limits.n_threads or os.cpu_count() or 1,
            max_waiting=self._limits.max_waiting,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and end."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        else:
            raise NotImplementedError(f"ASGI scope {scope['type']!r} is not served; expected http")

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self._runner.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve_http(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        counted_as = "unknown"
        try:
            route = resolve(scope["path"])
            counted_as = route.name
            reply = await self._answer(route, scope, receive)
        except ClientDisconnectedError:
            self._http_counters.add(counted_as, 499)
            return
        except Exception as error:
            reply = error_reply(error)
        await send_reply(send, reply, with_body=scope["method"] != "HEAD")
        self._http_counters.add(counted_as, reply.status)

    async def _answer(self, route: Route, scope: HttpScope, receive: Receive) -> Reply:
        deployment = self.deployment
        route.check_method(scope["method"])
        flags = read_flags(scope["query_string"], route.flags)
        match route.name:
            case "rank" | "score":
                return await self._call(deployment, route, flags, scope, receive)
            case "models":
                return _list_models(deployment)
            case "live":
                return json_reply(200, {"live": True})
            case "ready":
                return json_reply(200, {"ready": True})
            case "metrics":
                accept = dict(scope["headers"]).get(b"accept", b"")
                return metrics_reply(deployment, self._http_counters.snapshot(), accept=accept)

    async def _call(
        self,
        deployment: Deployment,
        route: Route,
        flags: Mapping[str, bool],
        scope: HttpScope,
        receive: Receive,
    ) -> Reply:
        variant = deployment.find(route.model, route.version)
        headers = dict(scope["headers"])
        check_content_type(headers)
        body = await read_body(
            headers,
            receive,
            http_version=scope["http_version"],
            limit_bytes=self._limits.body_bytes,
            timeout_s=self._limits.body_timeout_s,
        )
        engine = variant.engine
        if route.name == "score":
            return Reply(200, await self._runner.run(engine.score_json, body, variant.score_times))
        rank = partial(engine.rank_json, timings=True) if flags.get("timings") else engine.rank_json
        return Reply(200, await self._runner.run(rank, body, variant.rank_times))


def _list_models(deployment: Deployment) -> Reply:
    models = [
        {
            "name": model.name,
            "default": model.champion.engine.version,
            "versions": list(model.versions),
        }
        for model in deployment.models.values()
    ]
    return json_reply(200, {"models": models})
