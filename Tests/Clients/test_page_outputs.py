"""Which of a room's outputs the page asks for, and that its control says so."""

import asyncio
import time
from typing import Any

import pytest

from chromium_page import ChromiumPage, chromium
from colours import RED, plain
from http_api import RoomAPI
from server import Server
from test_page_controls import words
from tones import VOICES

LADDER = [
    {"name": "high", "width": 640, "height": 360, "fps": 30, "bitrate": 900000},
    {"name": "low", "width": 320, "height": 180, "fps": 15, "bitrate": 150000},
]
TALL = {"name": "tall", "width": 180, "height": 320, "fps": 15, "bitrate": 150000}


async def received(api: RoomAPI, room: str, page: ChromiumPage, output: str | None, *, auto: bool, control: str) -> dict[str, Any]:
    """Waits until the only person is sent an output, and the page's control says which he asked for."""
    deadline = time.monotonic() + 15
    while True:
        [person] = await api.participants(room)
        chosen = await page.page.input_value("#picture-select")
        receives = person["receives"]
        if receives["auto"] == auto and output in (None, receives["output"]) and chosen == control:
            return person
        assert time.monotonic() < deadline, f"the control says '{chosen}', the server {receives}"
        await asyncio.sleep(0.1)


async def test_who_only_watches_begins_with_what_his_line_carries(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": LADDER, "audio": {"outputs": [{"name": "thin", "bitrate": 12_000, "ptime": 60}]}})
        await red.page.select_option("#source", "none")
        async with red.page.expect_request(lambda request: request.method == "POST" and "/participants?" in request.url) as asked:
            await red.join("Red", room)
        assert "output=auto" in (await asked.value).url, "his first picture is to suit his line already"
        await received(api, room, red, None, auto=True, control="auto")
        # The server's word of it may be a moment behind.
        await red.page.wait_for_function("() => document.querySelector('#sound-select').value === 'auto'")
        assert red.said == []


@pytest.mark.parametrize(("source", "outputs"), [("camera", LADDER), ("none", [*LADDER, TALL])], ids=["taking part", "outputs that differ"])
async def test_everybody_else_begins_with_the_rooms_first_picture(
    server: Server, room: str, source: str, outputs: list[dict[str, Any]]
) -> None:
    """Left to the line, who watches would be shown something else where outputs are not one picture in several sizes."""
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": outputs})
        await red.page.select_option("#source", source)
        await red.join("Red", room)
        await received(api, room, red, "high", auto=False, control="high")


async def test_what_a_viewer_chose_stays_his_on_the_stage(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": [*LADDER, TALL]})
        await red.page.select_option("#source", "none")
        await red.join("Red", room)
        await red.page.select_option("#picture-select", "tall")
        person = await received(api, room, red, "tall", auto=False, control="tall")
        await api.patch_participant(room, person["id"], {"role": "panelist"})
        await words(red, "#error", "You are on the stage")
        await received(api, room, red, "tall", auto=False, control="tall")
        assert (await red.picture()).shape[:2] == (320, 180)
        # Chosen anew, it is what it says again.
        await red.page.select_option("#picture-select", "high")
        await received(api, room, red, "high", auto=False, control="high")


async def test_whose_output_is_taken_away_is_told_what_he_is_sent_instead(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": [*LADDER, TALL]})
        await red.join("Red", room)
        await red.page.select_option("#picture-select", "tall")
        await received(api, room, red, "tall", auto=False, control="tall")
        await api.patch_room(room, {"outputs": LADDER})
        await received(api, room, red, "high", auto=False, control="high")
        names = await red.page.eval_on_selector_all("#picture-select option", "options => options.map(({ value }) => value)")
        assert names == ["auto", "high", "low"]
