"""Firefox on the product's own page, together with an aiortc participant."""

import asyncio
from collections.abc import Callable

from colours import BLUE, RED, alike, plain
from firefox_page import firefox
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server, own_address
from tones import VOICES, expect_minus_one
from tracks import colour_track, tone_track


async def test_the_page_in_firefox_sees_both_and_hears_the_other(start_server: Callable[..., Server], room: str) -> None:
    # Firefox checks no loopback address from another, and offers none of its own.
    server = start_server(media_host=own_address())
    blue = Peer(tone_track(VOICES[2]), colour_track(plain(BLUE)))
    async with RoomAPI(server.url) as api, firefox(server.url + "/", VOICES[0], RED) as red:
        await red.join("Red", room)
        await blue.join(api, room, query={"name": "Blue"})
        await asyncio.sleep(2)
        heard_by_red, _ = await asyncio.gather(red.sound(4), blue.hears(4))
        expect_minus_one(heard_by_red, VOICES[0], [VOICES[2]], "Firefox")
        expect_minus_one(blue.received_sound(), VOICES[2], [VOICES[0]], "Blue")
        for who, picture in (("Firefox", await red.picture()), ("Blue", blue.received_picture())):
            places = await tiles(api, room, picture.shape[1], picture.shape[0])
            for name, colour in (("Red", RED), ("Blue", BLUE)):
                seen = colour_at(picture, places[name])
                assert alike(seen, colour), f"{name}'s tile in the picture {who} sees is {seen}, not {colour}"
        await blue.leave(api)
