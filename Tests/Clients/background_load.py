"""`tutti load` beside a test: those who speak, and an audience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server import REPOSITORY, Server

TUTTI = str(REPOSITORY / ".build/release/tutti")


@asynccontextmanager
async def two_speakers(server: Server, room: str, viewers: int = 0) -> AsyncIterator[None]:
    """Two who send sound and pictures, and so many viewers, until the block ends."""
    load = await asyncio.create_subprocess_exec(
        TUTTI, "load", "--url", f"{server.url}/rooms/{room}", "--publishers", "2", "--viewers", str(viewers), "--seconds", "120",
        stdout=asyncio.subprocess.DEVNULL)
    try:
        yield
    finally:
        load.terminate()
        await load.wait()
