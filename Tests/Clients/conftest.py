"""How these tests run: asynchronous ones to their end, all of them against one server unless they start their own."""

import asyncio
import inspect
import itertools
import os
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest

from python_peer import Peer
from server import Server

_numbers = itertools.count(1)

#: Seconds a test may take: one that is made longer has what it is made longer by.
PATIENCE = 150 + 60 * int(os.environ.get("TUTTI_SOAK_MINUTES") or 0)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(_run(pyfuncitem.obj(**arguments)))
    return True


async def _run(test: Coroutine[None, None, None]) -> None:
    try:
        await asyncio.wait_for(test, timeout=PATIENCE)
    finally:
        await asyncio.gather(*(peer.close() for peer in set(Peer.open)), return_exceptions=True)
        Peer.open.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the server wrote beside a failure."""
    report = yield
    server = item.funcargs.get("server")
    if report.when == "call" and report.failed and isinstance(server, Server):
        report.sections.append(("the server's log", server.log[-6000:]))
    return report


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server all tests share; at the end it drains and exits with 0."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers of a test's own."""
    started: list[Server] = []

    def start(config: str | None = None, media_host: str = "127.0.0.1", **options: Any) -> Server:
        started.append(Server(config, media_host, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def room() -> str:
    """A room name no other test uses."""
    return f"room-{next(_numbers)}"
