"""FFmpeg publishes by WHIP; somebody watches by WHEP."""

import asyncio

import pytest

from colours import GREEN, alike
from ffmpeg_whip import publishing
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server
from tones import VOICES, expect_minus_one


@pytest.mark.parametrize("options", [(), ("-whip_flags", "dtls_active")], ids=["dtls-passive", "dtls-active"])
async def test_a_viewer_sees_and_hears_what_ffmpeg_publishes(server: Server, room: str, options: tuple[str, ...]) -> None:
    viewer = Peer()
    async with RoomAPI(server.url) as api, publishing(
        f"{server.url}/rooms/{room}/whip?name=Green", VOICES[1], GREEN, *options
    ):
        await asyncio.sleep(1)
        await viewer.join(api, room, "whep")
        await viewer.sees(15)
        await viewer.hears(4)
        expect_minus_one(viewer.received_sound(), None, [VOICES[1]], "The viewer")
        picture = viewer.received_picture()
        places = await tiles(api, room, picture.shape[1], picture.shape[0])
        seen = colour_at(picture, places["Green"])
        assert alike(seen, GREEN), f"FFmpeg's tile is {seen}, not {GREEN}"
        await viewer.leave(api)
