"""Three people with different tones and colours: everybody hears the other two and sees all three."""

import asyncio

from colours import BLUE, GREEN, RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server
from tones import VOICES, expect_minus_one
from tracks import colour_track, tone_track

#: Tones are no voices: nothing is to be evened out.
LEFT_AS_IT_COMES = {"audio": {"mode": "music"}}
PEOPLE = {"Red": (VOICES[0], RED), "Green": (VOICES[1], GREEN), "Blue": (VOICES[2], BLUE)}


async def test_everybody_hears_the_others_and_sees_all(server: Server, room: str) -> None:
    peers = {name: Peer(tone_track(voice), colour_track(plain(colour))) for name, (voice, colour) in PEOPLE.items()}
    async with RoomAPI(server.url) as api:
        await api.put_room(room, LEFT_AS_IT_COMES)
        for name, peer in peers.items():
            await peer.join(api, room, query={"name": name, "self": "true"})
        await asyncio.sleep(2)
        await asyncio.gather(*(peer.hears(4) for peer in peers.values()))
        snapshot = await api.snapshot(room)
        places = await tiles(api, room, snapshot.shape[1], snapshot.shape[0])
        assert set(places) == set(PEOPLE)
        for name, peer in peers.items():
            own = PEOPLE[name][0]
            expect_minus_one(peer.received_sound(), own, [voice for voice in VOICES if voice != own], name)
            picture = peer.received_picture()
            assert picture.shape == snapshot.shape
            for shown, place in places.items():
                for source, image in (("snapshot", snapshot), (f"picture {name} received", picture)):
                    seen = colour_at(image, place)
                    assert alike(seen, PEOPLE[shown][1]), f"{shown}'s tile in the {source} is {seen}, not {PEOPLE[shown][1]}"
        for peer in peers.values():
            await peer.leave(api)


async def test_a_viewer_hears_everybody(server: Server, room: str) -> None:
    peers = [Peer(tone_track(voice), receives=False) for voice in VOICES]
    viewer = Peer()
    async with RoomAPI(server.url) as api:
        await api.put_room(room, LEFT_AS_IT_COMES)
        for peer in peers:
            await peer.join(api, room, "whip")
        await viewer.join(api, room, "whep")
        await asyncio.sleep(2)
        await viewer.hears(3)
        expect_minus_one(viewer.received_sound(), None, list(VOICES), "The viewer")
        assert viewer.pictures > 0
        for peer in [*peers, viewer]:
            await peer.leave(api)
