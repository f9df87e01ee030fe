"""A line between a client and the server that carries only so much, may be long and lose packets: a relay for datagrams, with a queue
towards the client."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Address = tuple[str, int]

#: What would wait longer is lost, as in the buffer of a modem.
QUEUE_SECONDS = 0.5
#: IP and UDP around each datagram.
OVERHEAD = 28


class SlowLine:
    """Datagrams to `address` reach the server; those back come at `bits_per_second`, which may change meanwhile."""

    def __init__(self, server: Address, bits_per_second: float) -> None:
        self.server, self.bits_per_second = server, bits_per_second
        #: Seconds each way, and the share of media towards the client that is lost.
        self.delay, self.loss = 0.0, 0.0
        self._chance = random.Random(1)
        self.address: Address = ("", 0)
        self._client: Address | None = None
        self._near: asyncio.DatagramTransport | None = None
        self._far: asyncio.DatagramTransport | None = None
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._filled = asyncio.Event()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._near, _ = await loop.create_datagram_endpoint(lambda: _End(self._from_client), local_addr=("127.0.0.1", 0))
        self._far, _ = await loop.create_datagram_endpoint(lambda: _End(self._from_server), remote_addr=self.server)
        self.address = self._near.get_extra_info("sockname")

    def _from_client(self, datagram: bytes, address: Address) -> None:
        self._client = address
        asyncio.get_running_loop().call_later(self.delay, self._to_server, datagram)

    def _to_server(self, datagram: bytes) -> None:
        if self._far is not None and not self._far.is_closing():
            self._far.sendto(datagram)

    def _from_server(self, datagram: bytes, _: Address) -> None:
        # Handshakes and checks would only take longer.
        if datagram[0] >= 128 and self._chance.random() < self.loss:
            return
        asyncio.get_running_loop().call_later(self.delay, self._queue_up, datagram)

    def _queue_up(self, datagram: bytes) -> None:
        size = len(datagram) + OVERHEAD
        if (self._queued + size) * 8 > max(self.bits_per_second * QUEUE_SECONDS, 30_000):
            return
        self._queue.append(datagram)
        self._queued += size
        self._filled.set()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        free = loop.time()
        while True:
            await self._filled.wait()
            self._filled.clear()
            free = max(free, loop.time())
            while self._queue:
                datagram = self._queue[0]
                size = len(datagram) + OVERHEAD
                free += size * 8 / self.bits_per_second
                if free > loop.time():
                    await asyncio.sleep(free - loop.time())
                self._queue.popleft()
                self._queued -= size
                if self._near is not None and self._client is not None:
                    self._near.sendto(datagram, self._client)

    def _close(self) -> None:
        for end in (self._near, self._far):
            if end is not None:
                end.close()


class _End(asyncio.DatagramProtocol):
    def __init__(self, came: Callable[[bytes, Address], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._came(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A server that is gone is noticed elsewhere."""


@asynccontextmanager
async def slow_line(server: Address, bits_per_second: float) -> AsyncIterator[SlowLine]:
    line = SlowLine(server, bits_per_second)
    await line._open()
    draining = asyncio.create_task(line._drain())
    try:
        yield line
    finally:
        draining.cancel()
        line._close()
