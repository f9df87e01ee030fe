"""A participant whose WebRTC runs in a program of its own, told what to do in JSON lines.

The program writes {"offer"}, reads {"answer"}, writes {"connected"}; each {"listen": seconds} is answered by {"sound"} (16-bit
mono at 48 kHz) and {"picture", "width", "height"} (RGB), both in base64. It ends when its input does.
"""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy

from colours import Colour
from http_api import MediaSession, RoomAPI
from server import REPOSITORY

HERE = Path(__file__).parent


class SubprocessPeer:
    """One such program; an asynchronous context manager."""

    def __init__(self, name: str, command: list[str], voice: float, colour: Colour) -> None:
        self.name = name
        self.command = [*command, str(voice), *map(str, colour)]
        self.session: MediaSession | None = None
        self._heard: dict[str, Any] = {}

    async def __aenter__(self) -> "SubprocessPeer":
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
            env=os.environ | {"WRTC_ALLOW_LOOPBACK": "1"})
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _said(self, what: str, seconds: float) -> dict[str, Any]:
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            raise AssertionError(f"{self.name}: no {what} within {seconds} s.") from None
        assert line, f"{self.name} ended before its {what}; its own words are above."
        message = json.loads(line)
        assert what in message, f"{self.name} said {message} instead of its {what}."
        return message

    def _tell(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def join(self, api: RoomAPI, room: str, query: dict[str, str]) -> None:
        """Takes part in a room and waits until connected."""
        offer = (await self._said("offer", 20))["offer"]
        self.session = await api.offer(room, "participants", offer, query)
        self._tell({"answer": self.session.answer})
        await self._said("connected", 15)

    async def hears(self, seconds: float) -> None:
        """Listens for so long."""
        self._tell({"listen": seconds})
        self._heard = await self._said("sound", seconds + 10)

    def received_sound(self) -> numpy.ndarray:
        return numpy.frombuffer(base64.b64decode(self._heard["sound"]), numpy.int16) / 32768

    def received_picture(self) -> numpy.ndarray:
        pixels = numpy.frombuffer(base64.b64decode(self._heard["picture"]), numpy.uint8)
        assert len(pixels), f"{self.name} received no picture."
        return pixels.reshape(self._heard["height"], self._heard["width"], 3)


def libwebrtc(voice: float, colour: Colour) -> SubprocessPeer:
    """libwebrtc as Chrome has it, from the `wrtc` wheel."""
    python = REPOSITORY / ".build/clients/wrtc/bin/python"
    assert python.exists(), "The environment of wrtc is missing: run Tests/Clients/environment."
    return SubprocessPeer("libwebrtc", [str(python), str(HERE / "wrtc_program.py")], voice, colour)


def gstreamer(voice: float, colour: Colour) -> SubprocessPeer:
    """GStreamer's webrtcbin; Debian's own Python has its bindings."""
    return SubprocessPeer("GStreamer", ["/usr/bin/python3", str(HERE / "gstreamer_program.py")], voice, colour)
