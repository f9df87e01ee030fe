"""The WebSocket of a room's events."""

import asyncio
from datetime import datetime
from typing import Any

from http_api import RoomAPI
from python_peer import Peer
from server import Server
from tones import VOICES
from tracks import tone_track


async def test_coming_speaking_and_leaving_are_told(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api:
        await api.put_room(room, {"layout": "grid"})
        told: list[dict[str, Any]] = []
        async with api.events(room) as socket:

            async def read() -> None:
                async for message in socket:
                    told.append(message.json())

            reading = asyncio.ensure_future(read())
            peer = Peer(tone_track(VOICES[0]))
            await peer.join(api, room, query={"name": "Eve"})
            await _until(told, "speaking-started")
            await peer.leave(api)
            await _until(told, "participant-left")
            reading.cancel()
        assert [event["type"] for event in told].count("participant-joined") == 1
        for event in told:
            assert event["room"] == room
            datetime.fromisoformat(event["time"])


async def _until(told: list[dict[str, Any]], kind: str, seconds: float = 8) -> None:
    try:
        async with asyncio.timeout(seconds):
            while kind not in [event["type"] for event in told]:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"No {kind} within {seconds} s; the server told {told}") from None
