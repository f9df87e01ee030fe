"""A stereo room on the page: each voice comes from where its picture is."""

import asyncio

import numpy

from browser_page import BrowserPage
from chromium_page import chromium
from colours import BLUE, RED, plain
from http_api import RoomAPI
from python_peer import Peer
from server import Server
from tones import VOICES, levels
from tracks import colour_track, tone_track

STEREO = {"audio": {"mode": "music", "stereo": True, "audioPan": True, "bitrate": 64000}, "layout": "grid"}


async def _heard(page: BrowserPage, channel: int) -> list[float]:
    """The levels of the left and of the right voice in one channel."""
    samples = await page.sound(2, channel)
    return [float(numpy.median(levels(samples, voice, 2))) for voice in VOICES[:2]]


async def test_voices_come_from_where_their_pictures_are(server: Server, room: str) -> None:
    left, right = (Peer(tone_track(voice), colour_track(plain(colour))) for voice, colour in zip(VOICES, (RED, BLUE)))
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[2], plain(RED)) as page:
        await api.put_room(room, STEREO)
        await left.join(api, room, query={"name": "Left"})
        await right.join(api, room, query={"name": "Right"})
        await page.page.select_option("#source", "none")
        await page.join("Listener", room)
        await asyncio.sleep(3)
        near, far = await _heard(page, 0)
        assert near > -40 and near - far > 4, f"the left channel has {near:.1f} dB of the left voice, {far:.1f} of the right"
        far, near = await _heard(page, 1)
        assert near > -40 and near - far > 4, f"the right channel has {near:.1f} dB of the right voice, {far:.1f} of the left"
        for peer in (left, right):
            await peer.leave(api)
