"""The product's own page in a browser: what a test does with it, whichever browser it is."""

import asyncio
import base64
import io
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

PROBE = (Path(__file__).parent / "page_probe.js").read_text().partition("\n")[2]


class BrowserPage(ABC):
    """One window with the page, in a browser of its own."""

    @abstractmethod
    async def call(self, function: str, *arguments: Any) -> Any:
        """Calls a function of the probe inside the page."""

    async def join(self, name: str, room: str) -> None:
        """Joins by the page's own form and waits for the first picture."""
        await self.call("join", name, room)
        deadline = time.monotonic() + 20
        while await self.call("picture") is None:
            assert time.monotonic() < deadline, f"{name} saw no picture within 20 s; {await self.call('words')}"
            await asyncio.sleep(0.2)

    async def picture(self) -> numpy.ndarray:
        """The picture shown now, as RGB."""
        image = Image.open(io.BytesIO(base64.b64decode(await self.call("picture"))))
        return numpy.asarray(image.convert("RGB"))

    async def sound(self, seconds: float, channel: int | None = None) -> numpy.ndarray:
        """What is heard in the next seconds, 48 kHz, -1...1: of both channels together, or of one."""
        samples = numpy.frombuffer(base64.b64decode(await self.call("sound", seconds, *([] if channel is None else [channel]))), numpy.int16) / 32768
        assert len(samples) >= seconds * 40_000, f"{len(samples)} samples in {seconds} s; {await self.call('words')}"
        return samples
