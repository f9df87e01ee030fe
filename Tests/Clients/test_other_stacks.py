"""libwebrtc and GStreamer take part beside an aiortc participant."""

import asyncio
from collections.abc import Callable

import pytest

from colours import BLUE, RED, Colour, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server
from subprocess_peer import SubprocessPeer, gstreamer, libwebrtc
from tones import VOICES, expect_minus_one
from tracks import colour_track, tone_track


@pytest.mark.parametrize("stack", [libwebrtc, gstreamer])
async def test_it_sees_both_and_hears_the_other(
    server: Server, room: str, stack: Callable[[float, Colour], SubprocessPeer]
) -> None:
    blue = Peer(tone_track(VOICES[2]), colour_track(plain(BLUE)))
    async with RoomAPI(server.url) as api, stack(VOICES[0], RED) as red:
        await red.join(api, room, {"name": "Red", "self": "true"})
        await blue.join(api, room, query={"name": "Blue", "self": "true"})
        await asyncio.sleep(2)
        await asyncio.gather(red.hears(4), blue.hears(4))
        expect_minus_one(red.received_sound(), VOICES[0], [VOICES[2]], red.name)
        expect_minus_one(blue.received_sound(), VOICES[2], [VOICES[0]], "Blue")
        for who, picture in ((red.name, red.received_picture()), ("Blue", blue.received_picture())):
            places = await tiles(api, room, picture.shape[1], picture.shape[0])
            for name, colour in (("Red", RED), ("Blue", BLUE)):
                seen = colour_at(picture, places[name])
                assert alike(seen, colour), f"{name}'s tile in the picture {who} sees is {seen}, not {colour}"
        await blue.leave(api)
