"""Gateways that say in their offers how much they want."""

import asyncio
import re

from background_load import two_speakers
from http_api import RoomAPI
from python_peer import Peer
from server import Server


async def test_a_thin_gateway_is_sent_what_it_asks_for(server: Server, room: str) -> None:
    """`b=AS:64` on the picture and 16 kb/s of Opus, in a room whose only output takes 1.5 Mb/s."""
    gateway = Peer()
    async with RoomAPI(server.url) as api:
        async with two_speakers(server, room):
            await asyncio.sleep(3)
            offer = re.sub(r"(m=video [^\r]*\r\nc=[^\r]*\r\n)", r"\1b=AS:64\r\n", await gateway.offer())
            opus = re.search(r"a=rtpmap:(\d+) opus", offer).group(1)
            offer = offer.replace(f"a=rtpmap:{opus} opus/48000/2\r\n", f"a=rtpmap:{opus} opus/48000/2\r\na=fmtp:{opus} maxaveragebitrate=16000\r\n")
            assert "b=AS:64" in offer and "maxaveragebitrate" in offer
            gateway.session = await api.offer(room, "whep", offer)
            await gateway.answer(gateway.session.answer)
            await gateway.connected()
            await gateway.sees(20)
            before = (await api.get(f"/v1/rooms/{room}/participants/{gateway.session.participant}"))["stats"]["bytesSent"]
            await asyncio.sleep(10)
            person = await api.get(f"/v1/rooms/{room}/participants/{gateway.session.participant}")
            bits = (person["stats"]["bytesSent"] - before) * 8 / 10
            # The picture's 64 kb/s; 16 kb/s of Opus in fifty packets a second take 36 kb/s before IP and UDP.
            assert 30_000 < bits < 105_000, bits
            assert person["receives"]["auto"] and person["receives"]["output"].startswith("auto/"), person["receives"]
            assert gateway.received_picture().shape[1] < 640
            await gateway.leave(api)
