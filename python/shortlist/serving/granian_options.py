"""What granian is told, in one process as in several."""

from __future__ import annotations

from typing import Any

from shortlist.serving.address import Address
from shortlist.serving.logs import LOGGING
from shortlist.serving.options import ServerOptions

__all__ = ["granian_options"]

# Connections that wait in the kernel, and that are open at once in each process.
BACKLOG = 2048
MAX_CONNECTIONS = 8192


def granian_options(options: ServerOptions, address: Address) -> dict[str, Any]:
    """Return the arguments that both of granian's servers take; granian must be installed."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    return {
        "address": address.host or "127.0.0.1",
        "port": address.port,
        "uds": address.uds,
        "interface": Interfaces.ASGI,
        "websockets": False,
        "backlog": BACKLOG,
        "backpressure": MAX_CONNECTIONS,
        "http1_settings": HTTP1Settings(header_read_timeout=round(options.header_timeout_s * 1000)),
        "log_level": LogLevels.warning,
        "log_dictconfig": LOGGING,
        "log_access": options.access_log,
    }
