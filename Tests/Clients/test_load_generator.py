"""`tutti load` and `tutti demo` against a running server, as an operator runs them."""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from background_load import TUTTI
from http_api import RoomAPI
from server import Server


async def load(*options: str) -> tuple[int | None, dict[str, Any], str]:
    process = await asyncio.create_subprocess_exec(
        TUTTI, "load", "--json", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, told = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, json.loads(out) if out else {}, told.decode()


async def test_viewers_all_come_and_see_and_hear(server: Server, room: str) -> None:
    url = f"{server.url}/rooms/{room}"
    status, report, told = await load("--url", url, "--publishers", "2", "--viewers", "20", "--seconds", "4")
    assert status == 0, told
    assert report["connected"] == report["clients"] == 20
    assert report["refused"] == report["ended"] == 0
    assert report["lossPercent"] == report["neverSawPicture"] == 0
    assert report["picturesPerSecondMin"] > 5 and report["soundsPerSecondMin"] > 20
    assert "4 s: 20 connected" in told


@pytest.mark.parametrize(("http_host", "media_host"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
async def test_media_of_another_kind_than_the_http_address_is_reached(
    start_server: Callable[..., Server], room: str, http_host: str, media_host: str
) -> None:
    server = start_server(http_host=http_host, media_host=media_host)
    status, report, told = await load("--url", f"{server.url}/rooms/{room}", "--publishers", "1", "--viewers", "3", "--seconds", "2")
    assert status == 0, told
    assert report["connected"] == report["clients"] == 3


async def test_who_loses_packets_asks_for_them_and_loses_hardly_a_picture(server: Server, room: str) -> None:
    url = f"{server.url}/rooms/{room}"
    status, report, told = await load("--url", url, "--publishers", "1", "--viewers", "10", "--seconds", "4", "--loss", "2")
    assert status == 0, told
    assert report["retransmissionsRequested"] > 0
    assert report["picturesPerSecondMin"] > 5


async def test_who_is_refused_is_counted_with_what_the_server_said(server: Server, room: str) -> None:
    url = f"{server.url}/rooms/{room}"
    async with RoomAPI(server.url) as api:
        await api.put_room(room, {"admission": {"participantsMax": 4}})
        status, report, told = await load("--url", url, "--publishers", "1", "--viewers", "9", "--seconds", "1")
        assert status == 1 and report["clients"] == report["connected"] == 3 and report["refused"] == 6
        [refusal] = report["refusals"]
        assert refusal["status"] == 503 and refusal["count"] == 6 and refusal["retryAfter"] > 0, refusal
        assert "6 of 10 could not come in: 503: The room is full" in told and "{" not in told and told.count("503") == 1


async def test_where_nobody_is_let_in_the_report_says_so(server: Server, room: str) -> None:
    status, report, told = await load(
        "--url", f"{server.url}/rooms/{room}", "--publishers", "0", "--viewers", "3", "--seconds", "1", "--output", "missing")
    assert status == 1 and report["clients"] == 0 and report["frozenPercent"] is None
    assert [(each["status"], each["count"]) for each in report["refusals"]] == [(404, 3)]
    assert "3 could not come in: 404: " in told and "missing" in told


async def test_sound_alone_is_reported_without_pictures(server: Server, room: str) -> None:
    status, report, told = await load(
        "--url", f"{server.url}/rooms/{room}", "--publishers", "1", "--viewers", "2", "--seconds", "2", "--audio-only")
    assert status == 0 and report["soundsPerSecondMin"] > 20
    assert report["firstPictureMsP50"] is None and report["frozenPercent"] is None and report["rungs"] is None
    assert "sound frames each" in told and "pictures" not in told


async def test_a_demo_fills_the_room_until_it_is_interrupted(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, asyncio.timeout(30):
        await api.put_room(room, {"layout": "grid"})
        process = await asyncio.create_subprocess_exec(
            TUTTI, "demo", "--url", f"{server.url}/rooms/{room}", "--participants", "3", stderr=asyncio.subprocess.PIPE
        )
        people: list[dict[str, Any]] = []
        while len([each for each in people if each["stats"].get("videoFramesDecoded", 0) > 10]) < 3:
            await asyncio.sleep(0.2)
            people = await api.participants(room)
        assert [each["name"] for each in people] == ["Ada", "Grace", "Katherine"]
        process.send_signal(signal.SIGINT)
        _, told = await process.communicate()
        assert process.returncode == 0, told.decode()
        assert await api.participants(room) == []


async def test_a_demo_ends_with_its_room(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, asyncio.timeout(30):
        await api.put_room(room, {"layout": "grid"})
        process = await asyncio.create_subprocess_exec(
            TUTTI, "demo", "--url", f"{server.url}/rooms/{room}", "--participants", "2", stderr=asyncio.subprocess.PIPE
        )
        while len(await api.participants(room)) < 2:
            await asyncio.sleep(0.2)
        await api.delete(f"/v1/rooms/{room}")
        _, told = await process.communicate()
        assert "All connections have ended." in told.decode()
