"""A browser among hundreds: its pictures come together with packets of sound, some of them held back a moment for that."""

import asyncio
from typing import Any

from background_load import two_speakers
from chromium_page import ChromiumPage, chromium
from colours import RED, plain
from http_api import RoomAPI
from line_watch import watch
from server import Server
from slow_line import slow_line
from tones import VOICES

SECONDS = 12

FIGURES = """async () => {
  const reports = [...(await watching.getStats()).values()].filter((each) => each.type === "inbound-rtp");
  const video = reports.find((each) => each.kind === "video") ?? {}, audio = reports.find((each) => each.kind === "audio") ?? {};
  return { decoded: video.framesDecoded ?? 0, lost: video.packetsLost ?? 0, freezes: video.freezeCount ?? 0,
           requests: (video.pliCount ?? 0) + (video.nackCount ?? 0),
           delay: video.jitterBufferDelay ?? 0, emitted: video.jitterBufferEmittedCount ?? 0,
           concealed: audio.concealedSamples ?? 0, samples: audio.totalSamplesReceived ?? 0 };
}"""


async def _figures(page: ChromiumPage) -> dict[str, Any]:
    return await page.page.evaluate(FIGURES)


async def test_a_browser_among_hundreds_sees_and_hears_steadily(server: Server, room: str) -> None:
    async with (
        RoomAPI(server.url) as api,
        chromium(server.url + "/", VOICES[0], plain(RED)) as page,
        slow_line(server.rtc_address, 50_000_000) as line,
    ):
        await api.put_room(room, {"outputs": [{"name": "main", "width": 640, "height": 360, "fps": 30, "bitrate": 500000}]})
        async with two_speakers(server, room, viewers=240):
            await asyncio.sleep(3)
            await watch(page, f"{server.url}/rooms/{room}/whep?name=Red", line)
            await asyncio.sleep(5)
            before = await _figures(page)
            await asyncio.sleep(SECONDS)
            after = await _figures(page)
        told = {key: after[key] - before[key] for key in after}
        assert told["decoded"] >= 25 * SECONDS, told
        assert told["freezes"] == 0 and told["lost"] == 0 and told["requests"] == 0, told
        assert told["samples"] > 0 and told["concealed"] < told["samples"] / 100, told
        assert told["delay"] / told["emitted"] < 0.12, f"the pictures' unevenness costs the browser a deep buffer: {told}"
