"""The HTTP server: an ASGI application over loaded bundles, run by granian."""

from __future__ import annotations

from shortlist.serving.app import Application, Limits
from shortlist.serving.deployment import Deployment
from shortlist.serving.options import ServerOptions
from shortlist.serving.server import run, serve

__all__ = ["Application", "Deployment", "Limits", "ServerOptions", "run", "serve"]
