"""Which route a path and its query mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from shortlist.serving.errors import HttpError

__all__ = ["Route", "read_flags", "resolve"]

RouteName = Literal["rank", "score", "models", "live", "ready", "metrics"]

GET = ("GET", "HEAD")
POST = ("POST",)


@dataclass(frozen=True, slots=True)
class Route:
    """A route and what its path says: the model and version, None where it names none."""

    name: RouteName
    methods: tuple[str, ...]
    model: str | None = None
    version: str | None = None
    flags: tuple[str, ...] = ()

    def check_method(self, method: str) -> None:
        """Refuse a method that this route does not have."""
        if method not in self.methods:
            allowed = ", ".join(self.methods)
            raise HttpError(
                405,
                f"method {method[:20]} is not allowed here; expected {allowed}",
                headers=((b"allow", allowed.encode()),),
            )


_FIXED = {
    "/v1/rank": Route("rank", POST, flags=("timings",)),
    "/v1/score": Route("score", POST),
    "/v1/models": Route("models", GET),
    "/v2/health/live": Route("live", GET),
    "/v2/health/ready": Route("ready", GET),
    "/metrics": Route("metrics", GET),
}


def resolve(path: str) -> Route:
    """Return the route of a path.

    Raises
    ------
    HttpError : 404.
    """
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    match path.split("/"):
        case ["", "v1", "models", model, "rank" | "score" as call] if model:
            return _of_model(call, model, None)
        case ["", "v1", "models", model, "versions", version, "rank" | "score" as call] if (
            model and version
        ):
            return _of_model(call, model, version)
    raise HttpError(404, f"there is no {path[:200]!r} here")


def read_flags(query: bytes, allowed: tuple[str, ...]) -> Mapping[str, bool]:
    """Read a query string of flags, each 0 or 1 and at most once.

    Raises
    ------
    HttpError : 400, naming the parameter and what was expected.
    """
    if not query:
        return {}
    flags: dict[str, bool] = {}
    for key, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if key not in allowed:
            expected = f"only {', '.join(allowed)}" if allowed else "none"
            raise HttpError(400, f"unknown query parameter {key[:80]!r}; expected {expected}")
        if key in flags:
            raise HttpError(400, f"query parameter {key} is given twice; expected once")
        if value not in ("0", "1"):
            raise HttpError(400, f"query parameter {key} is {value[:80]!r}; expected 0 or 1")
        flags[key] = value == "1"
    return flags


def _of_model(call: str, model: str, version: str | None) -> Route:
    if call == "rank":
        return Route("rank", POST, model, version, flags=("timings",))
    return Route("score", POST, model, version)
