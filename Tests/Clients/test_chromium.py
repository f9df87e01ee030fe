"""Two Chromium windows on the product's own page."""

import asyncio

from chromium_page import chromium
from colours import BLUE, RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from server import Server
from tones import VOICES, expect_minus_one


async def test_two_pages_see_both_and_hear_each_other(server: Server, room: str) -> None:
    async with (
        RoomAPI(server.url) as api,
        chromium(server.url + "/", VOICES[0], plain(RED)) as red,
        chromium(server.url + "/", VOICES[2], plain(BLUE)) as blue,
    ):
        await red.join("Red", room)
        await blue.join("Blue", room)
        await asyncio.sleep(2)
        heard_by_red, heard_by_blue = await asyncio.gather(red.sound(4), blue.sound(4))
        expect_minus_one(heard_by_red, VOICES[0], [VOICES[2]], "Red")
        expect_minus_one(heard_by_blue, VOICES[2], [VOICES[0]], "Blue")
        snapshot = await api.snapshot(room)
        places = await tiles(api, room, snapshot.shape[1], snapshot.shape[0])
        for window, picture in (("Red's", await red.picture()), ("Blue's", await blue.picture())):
            seen = await tiles(api, room, picture.shape[1], picture.shape[0])
            for name, colour in (("Red", RED), ("Blue", BLUE)):
                assert alike(colour_at(snapshot, places[name]), colour), f"{name} in the snapshot"
                assert alike(colour_at(picture, seen[name]), colour), f"{name} in {window} window: {colour_at(picture, seen[name])}"


async def test_a_page_without_udp_comes_in_over_tcp(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED), tcp_only=True) as red:
        await red.join("Red", room)
        picture = await red.picture()
        places = await tiles(api, room, picture.shape[1], picture.shape[0])
        assert alike(colour_at(picture, places["Red"]), RED), f"Red's tile is {colour_at(picture, places['Red'])}"
        for _ in range(20):
            figures = await red.page.inner_text("#statistics")
            if "Transport" in figures:
                break
            await asyncio.sleep(0.5)
        assert "TCP" in figures, f"The page's figures are {figures}"
