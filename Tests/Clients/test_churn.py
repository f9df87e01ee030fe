"""Thirty people come and go at random for a minute, or TUTTI_SOAK_MINUTES; then nothing is left of them."""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Callable

import pytest
from aiortc import rtcrtpreceiver

from colours import plain
from http_api import Refused, RoomAPI
from python_peer import Peer
from server import Server
from tracks import colour_track, tone_track

SOAK_MINUTES = os.environ.get("TUTTI_SOAK_MINUTES")
PEOPLE, SECONDS, SEED = 30, 60 * int(SOAK_MINUTES or 1), 7
#: A room ends soon after its last participant, so that what is left over can be told from what is still in use.
CONFIG = '{ "rooms": { "emptySeconds": 1 } }'
SMALL_OUTPUT = {"layout": "grid", "outputs": [{"name": "small", "width": 160, "height": 90, "fps": 5, "bitrate": 60_000}]}


class Undecoded:
    """Takes the place of aiortc's decoders: thirty people would keep this machine busy with decoding alone."""

    def decode(self, encoded_frame: object) -> list[object]:
        return []


def _peer(chance: random.Random) -> tuple[Peer, str]:
    """Somebody who talks, sends a picture of 64x64 too, or only watches."""
    picture = plain((chance.randrange(256), chance.randrange(256), chance.randrange(256)), 64, 64)
    kind = chance.choice(["talker", "talker", "sender", "publisher", "viewer", "viewer"])
    voice = tone_track(chance.uniform(200, 2000))
    if kind == "talker":
        return Peer(voice), "participants"
    if kind == "sender":
        return Peer(voice, colour_track(picture, rate=5)), "participants"
    if kind == "publisher":
        return Peer(voice, colour_track(picture, rate=5), receives=False), "whip"
    return Peer(), "whep"


async def _person(api: RoomAPI, room: str, number: int, ends: float, count: dict[str, int]) -> None:
    """Joins, stays, leaves: mostly by DELETE, now and then by ending the connection, during the first half without a word."""
    chance = random.Random(SEED * 1000 + number)
    await asyncio.sleep(chance.uniform(0, 6))
    while time.monotonic() < ends:
        peer, endpoint = _peer(chance)
        try:
            await peer.join(api, room, endpoint, {"name": f"Person {number}"})
            count["joined"] += 1
            await asyncio.sleep(min(chance.uniform(0.2, 8), max(0, ends - time.monotonic())))
            way = chance.random()
            if way < 0.1 and ends - time.monotonic() > SECONDS / 2:
                await _vanish(peer)
            elif way < 0.3:
                await peer.close()
            else:
                await peer.leave(api)
        except Refused as refused:
            assert refused.status == 503, refused
            await peer.close()
        await asyncio.sleep(chance.uniform(0, 3))


async def _vanish(peer: Peer) -> None:
    """Ends the connection without a DTLS alert or anything else on the wire."""
    for transport in peer.connection._RTCPeerConnection__iceTransports:  # what aiortc would say goodbye over
        await transport._connection.close()
    await peer.close()


async def test_nothing_is_left_after_a_minute_of_coming_and_going(
    start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtcrtpreceiver, "get_decoder", lambda codec: Undecoded())
    server, room = start_server(CONFIG), "churn"
    async with RoomAPI(server.url) as api:
        await _one_visit(api, "warm-up")
        threads, descriptors, metrics = server.threads(), server.descriptors(), await api.metrics()
        await api.put_room(room, SMALL_OUTPUT)
        count = {"joined": 0}
        ends = time.monotonic() + SECONDS
        async with asyncio.TaskGroup() as people:
            for number in range(PEOPLE):
                people.create_task(_person(api, room, number, ends, count))
            memory = people.create_task(_memory(server, ends))
        assert server.alive
        if SOAK_MINUTES:
            assert _is_flat(memory.result()), f"The server's memory grew: {memory.result()}"
        assert count["joined"] >= 2 * PEOPLE, f"Only {count['joined']} joined in {SECONDS} s"
        await _until_nobody(api, room)
        await asyncio.sleep(4)
        # Two pools, of tasks and of pictures, may have grown to one thread a core under the load; a leak would show 30 times as many.
        assert server.threads() <= threads + 2 * os.cpu_count(), f"{server.threads()} threads; {threads} before"
        assert server.descriptors() <= descriptors + 2, f"{server.descriptors()} descriptors; {descriptors} before"
        left = {name: value for name, value in (await api.metrics()).items() if _counts_people(name) and value > metrics.get(name, 0)}
        assert not left, f"The metrics still count {left}"
        await api.put_room(room, SMALL_OUTPUT)
        begun = server.cpu_seconds()
        await asyncio.sleep(3)
        used = server.cpu_seconds() - begun
        assert used <= 0.05, f"An empty room used {used:.2f} s of CPU in 3 s"


async def _memory(server: Server, ends: float) -> list[int]:
    """Resident bytes, every ten seconds."""
    sizes = []
    while time.monotonic() < ends:
        await asyncio.sleep(min(10, max(0, ends - time.monotonic())))
        sizes.append(server.resident_bytes())
    return sizes


def _is_flat(sizes: list[int]) -> bool:
    """Whether the last third of the time took no more than the second, but for a twentieth."""
    third = len(sizes) // 3
    early, late = sizes[third:2 * third], sizes[2 * third:]
    print(f"resident, second third {statistics.mean(early) / 1e6:.1f} MB, last third {statistics.mean(late) / 1e6:.1f} MB")
    return statistics.mean(late) <= 1.05 * statistics.mean(early)


def _counts_people(name: str) -> bool:
    """Whether a sample is a gauge of those who are there now."""
    bare = name.partition("{")[0]
    return any(word in bare for word in ("participants", "sessions", "peers", "streams")) and not bare.endswith(
        ("_total", "_sum", "_count", "_bucket", "_created"))


async def _one_visit(api: RoomAPI, room: str) -> None:
    peer = Peer(tone_track(440), colour_track(plain((9, 9, 9), 64, 64), rate=5))
    await peer.join(api, room)
    await asyncio.sleep(1)
    await peer.leave(api)
    await asyncio.sleep(3)


async def _until_nobody(api: RoomAPI, room: str, seconds: float = 45) -> None:
    """Those who vanished without a word are missed only when their consent has run out."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            people = await api.participants(room)
        except Refused as refused:
            assert refused.status == 404, refused
            return
        if not people:
            return
        assert time.monotonic() < deadline, f"{len(people)} are still there after {seconds} s: {people}"
        await asyncio.sleep(0.5)
