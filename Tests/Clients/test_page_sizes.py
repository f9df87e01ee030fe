"""The page on screens of several sizes: all that is needed is there without scrolling, and nothing lies over something else."""

import pytest

from chromium_page import chromium
from colours import RED, plain
from http_api import RoomAPI
from server import Server
from tones import VOICES

BOXES = """(ids) => ids.map((id) => {
  const { left, top, right, bottom } = document.querySelector(id).getBoundingClientRect();
  return [left, top, right, bottom];
})"""
CONTROLS = ["#mute", "#camera", "#deafen", "#hand", "#fullscreen", "#leave"]


def overlaps(a: list[float], b: list[float]) -> bool:
    return a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (844, 390), (932, 430), (667, 375)])
async def test_picture_and_controls_are_there_without_scrolling(server: Server, room: str, width: int, height: int) -> None:
    async with chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.page.set_viewport_size({"width": width, "height": height})
        await red.join("Red", room)
        side, frame, *controls = await red.page.evaluate(BOXES, ["#side", "#frame", *CONTROLS])
        for box in [frame, *controls]:
            assert box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height, (box, width, height)
        for index, box in enumerate(controls):
            assert not any(overlaps(box, other) for other in [frame, *controls[:index]]), (CONTROLS[index], box)
        if width > height and height < 500:
            # A phone on its side: what there is of width is the picture's.
            assert frame[2] - frame[0] == width and side[1] >= frame[3] - 1
            assert frame[3] - frame[1] > height / 2
        elif width > 1000:
            assert side[0] >= frame[2]


async def test_a_picture_made_for_phones_fills_one_that_is_held_upright(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": [{"name": "phone", "width": 360, "height": 640, "fps": 15, "bitrate": 300_000}]})
        await red.page.set_viewport_size({"width": 390, "height": 844})
        await red.join("Red", room)
        [frame] = await red.page.evaluate(BOXES, ["#frame"])
        assert frame[2] - frame[0] == 390 and frame[3] - frame[1] > 600


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (844, 390), (932, 430), (667, 375)])
async def test_joining_needs_no_scrolling(server: Server, room: str, width: int, height: int) -> None:
    async with chromium(server.url + f"/?room={room}", VOICES[0], plain(RED)) as red:
        await red.page.set_viewport_size({"width": width, "height": height})
        await red.page.wait_for_selector("#microphone-select", state="visible")
        mirror, *fields = await red.page.evaluate(BOXES, [".mirror", "#name", "#room", "#source", "#camera-select", "#microphone-select", "#join"])
        for index, box in enumerate(fields):
            assert box[0] >= 0 and box[2] <= width and box[3] <= height, (index, box)
            assert not any(overlaps(box, other) for other in [mirror, *fields[:index]]), (index, box)
