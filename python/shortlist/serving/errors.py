"""Which HTTP reply each error becomes; converted here and nowhere else."""

from __future__ import annotations

import logging

from shortlist.errors import RequestError, ShortlistError, UnsupportedError
from shortlist.serving.reply import Reply, json_reply

__all__ = ["ClientDisconnectedError", "HttpError", "ListenError", "error_reply"]

logger = logging.getLogger("shortlist.serving")


class HttpError(Exception):
    """A request that the HTTP layer itself refuses.

    Parameters
    ----------
    status : the HTTP status of the reply.
    message : what was wrong and what was expected; sent as ``{"error": message}``.
    headers : further headers of the reply, such as ``Allow``.
    """

    def __init__(
        self, status: int, message: str, *, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class ClientDisconnectedError(Exception):
    """The client went away before its request was complete: nobody is left to answer."""


class ListenError(ShortlistError, OSError):
    """The server's address cannot be listened on; the message names it and the reason."""


def error_reply(error: Exception) -> Reply:
    """Turn an error raised while answering into its reply.

    What the caller can mend keeps its message: 400 for a malformed request, 501 for a valid one
    that this bundle cannot answer. Anything else is ours: it is logged with its traceback and
    answered by a 500 that tells nothing of the inside.
    """
    if isinstance(error, HttpError):
        return json_reply(error.status, {"error": error.message}, headers=error.headers)
    if isinstance(error, RequestError):
        return json_reply(400, {"error": str(error)})
    if isinstance(error, UnsupportedError):
        return json_reply(501, {"error": str(error)})
    logger.error("a request failed", exc_info=error)
    return json_reply(500, {"error": "internal error; the server's log has the details"})
