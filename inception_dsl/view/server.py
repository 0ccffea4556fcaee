"""The server of a page, for browsers of this machine: it reads nothing but a request's address.

It listens on the loopback alone. A page of another site that reaches it under a name of its own is
refused by that name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from inception_dsl.channels import json_line
from inception_dsl.view.live import LivePage

LOOPBACK = "127.0.0.1"
HOSTS = [LOOPBACK, "localhost"]
"""The names by which the server may be called."""

SECONDS = 0.2
"""The seconds between two looks at the files."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def make_app(live: LivePage) -> Starlette:
    """Return the application that shows a live page: itself at `/`, its changes at `/events`."""

    async def show(request: Request) -> Response:
        return HTMLResponse(live.page, headers=HEADERS)

    async def tell(request: Request) -> Response:
        return StreamingResponse(
            _list_news(live, request), media_type="text/event-stream", headers=HEADERS
        )

    @asynccontextmanager
    async def look(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_refresh(live))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return Starlette(
        routes=[Route("/", show), Route("/events", tell)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
        lifespan=look,
    )


async def _refresh(live: LivePage) -> None:
    """Read the spec again after each change, for ever."""
    while True:
        await asyncio.to_thread(live.refresh)
        await asyncio.sleep(SECONDS)


async def _list_news(live: LivePage, request: Request) -> AsyncIterator[str]:
    """Yield an event now, and one after each change, until the browser leaves."""
    told = -1
    while not await request.is_disconnected():
        if live.state != told:
            told = live.state
            yield f"data: {json_line(live.tell())}\n"
        await asyncio.sleep(SECONDS / 2)


def serve(live: LivePage, port: int, tell: Callable[[str], None]) -> None:
    """Serve a live page until Ctrl-C.

    Args:
        port: the port; 0 for one that is free.
        tell: is given the address of the page.

    Raises:
        OSError: the port is in use.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()  # a browser may ask before the first answer is ready
        tell(f"http://{LOOPBACK}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(
            make_app(live),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])
