"""A browser half a world away that loses packets, and the parity its pictures come with."""

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

OUTPUTS = [{"name": "high", "width": 640, "height": 360, "fps": 30, "bitrate": 900000}]

FIGURES = """async () => {
  const reports = [...(await watching.getStats()).values()].filter((each) => each.type === "inbound-rtp");
  const video = reports.find((each) => each.kind === "video") ?? {};
  return { decoded: video.framesDecoded ?? 0, frozen: video.totalFreezesDuration ?? 0 };
}"""


async def _watch(server: Server, page: ChromiumPage, room: str, *, takes_parity: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a browser made of twenty seconds, and what the server says of them."""
    async with RoomAPI(server.url) as api, slow_line(server.rtc_address, 30_000_000) as line:
        line.delay, line.loss = 0.15, 0.05
        name = f"Far {takes_parity}"
        codecs = "VP8|rtx|red|ulpfec" if takes_parity else "VP8|rtx"
        await watch(page, f"{server.url}/rooms/{room}/whep?name={name}", line, codecs)
        await asyncio.sleep(8)
        before = await page.page.evaluate(FIGURES)
        await asyncio.sleep(20)
        after = await page.page.evaluate(FIGURES)
        viewer = next(each for each in await api.participants(room) if each["name"] == name)
        await page.page.evaluate("() => watching.close()")
        return {key: after[key] - before[key] for key in after}, viewer["stats"]


async def test_parity_keeps_a_distant_browsers_pictures_moving(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as page:
        await api.put_room(room, {"outputs": OUTPUTS})
        async with two_speakers(server, room):
            without, plain_stats = await _watch(server, page, room, takes_parity=False)
            with_parity, stats = await _watch(server, page, room, takes_parity=True)
            assert plain_stats["parityPacketsSent"] == 0 and stats["parityPacketsSent"] > 100, (plain_stats, stats)
            assert with_parity["frozen"] < without["frozen"] / 2, (with_parity, without)
            assert with_parity["decoded"] > without["decoded"], (with_parity, without)
