"""Datagrams from somebody who passed no check: silence for him, and the call goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aioice import stun

from colours import BLUE, GREEN, RED, alike, plain
from hostile import attribute, client_hello, exchange, forged_check, garbage, media_packet
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server
from tones import VOICES, expect_minus_one, levels
from tracks import colour_track, tone_track


@asynccontextmanager
async def call(server: Server, room: str) -> AsyncIterator[tuple[RoomAPI, Peer, Peer]]:
    """Red and Blue talk; whatever happened meanwhile, at the end they still see and hear each other."""
    red = Peer(tone_track(VOICES[0]), colour_track(plain(RED)))
    blue = Peer(tone_track(VOICES[2]), colour_track(plain(BLUE)))
    async with RoomAPI(server.url) as api:
        await red.join(api, room, query={"name": "Red", "self": "true"})
        await blue.join(api, room, query={"name": "Blue", "self": "true"})
        await asyncio.sleep(1)
        yield api, red, blue
        await asyncio.gather(red.hears(3), blue.hears(3), red.sees(10), blue.sees(10))
        expect_minus_one(red.received_sound(), VOICES[0], [VOICES[2]], "Red")
        expect_minus_one(blue.received_sound(), VOICES[2], [VOICES[0]], "Blue")
        assert {person["name"] for person in await api.participants(room)} == {"Red", "Blue"}
        assert server.alive
        await red.leave(api)
        await blue.leave(api)


async def test_strangers_get_nothing_and_the_call_goes_on(server: Server, room: str) -> None:
    async with call(server, room) as (_, red, _blue):
        assert red.session is not None
        source = int(attribute(red.connection.localDescription.sdp, "ssrc").split()[0])

        def attack() -> None:
            for number in range(20):
                for answer in exchange(server.rtc_address, [forged_check(red.session.answer)], 0.02):
                    reply = stun.parse_message(answer)
                    assert reply.message_class == stun.Class.ERROR, f"A forged check was answered: {reply}"
            strangers = {
                "a ClientHello before ICE": [client_hello()],
                "media from an unchecked address": [media_packet(source, number) for number in range(500)],
                "control packets from an unchecked address": [b"\x80\xcb\x00\x01" + source.to_bytes(4) + bytes(14)] * 50,
            }
            for what, datagrams in strangers.items():
                assert exchange(server.rtc_address, datagrams, 0.3) == [], f"{what} was answered"
            exchange(server.rtc_address, garbage(seed=2, count=3000), 0.3)

        await asyncio.to_thread(attack)


async def test_a_wrong_certificate_never_connects(server: Server, room: str) -> None:
    async with call(server, room) as (api, red, _):
        impostor = Peer(tone_track(VOICES[1]), colour_track(plain(GREEN)))
        offer = await impostor.offer()
        session = await api.offer(room, "participants", altered(offer), {"name": "Impostor"})
        await impostor.answer(session.answer)
        await asyncio.sleep(4)
        assert not impostor.sound and impostor.picture is None, "The impostor received media"
        await red.hears(1)
        assert max(levels(red.received_sound(), VOICES[1])) < -60, "The impostor is heard"
        snapshot = await api.snapshot(room)
        places = await tiles(api, room, snapshot.shape[1], snapshot.shape[0])
        assert all(not alike(colour_at(snapshot, place), GREEN) for place in places.values()), "The impostor is seen"
        if any(person["name"] == "Impostor" for person in await api.participants(room)):
            await api.leave(session)
        await impostor.close()


def altered(offer: str) -> str:
    """The offer with the first byte of its fingerprints changed."""
    lines = []
    for line in offer.split("\r\n"):
        if line.startswith("a=fingerprint:"):
            name, _, value = line.partition(" ")
            line = f"{name} {int(value[:2], 16) ^ 1:02X}{value[2:]}"
        lines.append(line)
    return "\r\n".join(lines)
