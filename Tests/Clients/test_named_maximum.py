"""Receivers that say what they can be sent at most (REMB), of the little that they are sent, and tell nothing else of their path."""

import asyncio

from background_load import two_speakers
from colours import RED, plain
from http_api import RoomAPI
from python_peer import Peer
from server import Server
from tones import VOICES
from tracks import colour_track, tone_track

OUTPUTS = [
    {"name": "high", "width": 640, "height": 360, "fps": 30, "bitrate": 900000},
    {"name": "low", "width": 320, "height": 180, "fps": 15, "bitrate": 150000},
]


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


async def test_a_good_line_has_the_best_of_a_ladder_in_the_end(server: Server, room: str) -> None:
    viewer = Peer()
    async with RoomAPI(server.url) as api:
        await api.put_room(room, {"outputs": OUTPUTS})
        async with two_speakers(server, room):
            await viewer.join(api, room, "whep", query={"output": "auto"})
            for _ in range(40):
                await asyncio.sleep(1)
                if viewer.pictures and viewer.received_picture().shape[1] == 640:
                    break
            assert viewer.received_picture().shape[1] == 640
            await viewer.leave(api)
