"""A picture that hardly moves takes little, and a receiver that estimates what it can be sent (REMB) knows of no more."""

import asyncio

from colours import RED, plain
from http_api import RoomAPI
from python_peer import Peer
from server import Server
from tones import VOICES
from tracks import colour_track, tone_track


async def test_a_still_picture_goes_on_at_its_full_rate(server: Server, room: str) -> None:
    red, viewer = Peer(tone_track(VOICES[0]), colour_track(plain(RED)), receives=False), Peer()
    async with RoomAPI(server.url) as api:
        await red.join(api, room, "whip")
        await viewer.join(api, room, "whep")
        # What came in the first three seconds is named first.
        await asyncio.sleep(5)
        before = viewer.pictures
        await asyncio.sleep(5)
        shown = viewer.pictures - before
        assert shown > 60, f"{shown} pictures in 5 s of 15 a second"
        await red.leave(api)
        await viewer.leave(api)
