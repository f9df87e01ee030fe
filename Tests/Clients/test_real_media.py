"""Four participants with real footage; one of them reads aloud."""

import asyncio
import statistics
import tempfile

import numpy
import pytest
from aiortc.codecs import vpx
from PIL import Image

from footage import CLIPS, SPEECH_RATE, Clip, at_48k, speech
from http_api import RoomAPI
from layout import Rectangle, tiles
from python_peer import Peer
from quality import speech_quality, tile_psnr
from server import REPOSITORY, Server
from tracks import Speech

#: Kept to be looked at.
SNAPSHOT = REPOSITORY / ".build/clients/real-media.png"


async def _steady(api: RoomAPI, room: str, name: str) -> None:
    """Waits, some time, until the server has kept somebody's sound back for as long for six seconds.

    His sound has been late; as it comes in time again what is kept back becomes shorter, and so does what he says meanwhile.
    """
    delays: list[float] = []
    for _ in range(40):
        person = next(person for person in await api.participants(room) if person["name"] == name)
        delays.append(person["stats"]["audioPlayoutDelayMs"])
        if len(delays) > 12 and max(delays[-13:]) - min(delays[-13:]) < 5:
            return
        await asyncio.sleep(0.5)


async def test_pictures_and_speech_arrive_as_they_were_sent(
    server: Server, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vpx, "DEFAULT_BITRATE", 3_000_000)
    monkeypatch.setattr(vpx, "MIN_BITRATE", 2_000_000)
    monkeypatch.setattr(vpx, "MAX_BITRATE", 4_000_000)
    clips = {name: Clip(name) for name in CLIPS}
    for clip in clips.values():
        assert clip.frames
    reader, *others = voices = [Speech() for _ in clips]
    recording = speech()
    aloud = at_48k(recording)
    films = {name: clip.track() for name, clip in clips.items()}
    # The reader's own connection would pay for decoding the room as well: one other person listens for all.
    peers = {
        name: Peer(voice, films[name], receives=name == CLIPS[-1])
        for name, voice in zip(clips, voices)}
    listener = peers[CLIPS[-1]]
    async with RoomAPI(server.url) as api:
        for name, peer in peers.items():
            await peer.join(api, room, "participants" if peer is listener else "whip", query={"name": name})
        await asyncio.sleep(2)
        seen: list[tuple[numpy.ndarray, dict[str, Rectangle]]] = []
        for _ in range(3):
            await asyncio.sleep(2)
            snapshot = await api.snapshot(room)
            seen.append((snapshot, await tiles(api, room, snapshot.shape[1], snapshot.shape[0])))
        # Four encoders in one Python process make its sound late, which is no matter of the server's: films go on at a
        # picture a second while the speech is judged.
        for film in films.values():
            film.every = 15
        await _steady(api, room, CLIPS[0])
        reader.speak(aloud)
        await listener.hears(len(recording) / SPEECH_RATE + 1.5)
        for peer in peers.values():
            await peer.leave(api)
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(seen[-1][0]).save(SNAPSHOT)
    heard = listener.received_sound()
    score = speech_quality(recording, heard)
    print(f"PESQ-WB {score:.2f}")
    assert score >= 3.6, f"PESQ-WB of the received speech is {score:.2f}"
    for name, clip in clips.items():
        measured = [tile_psnr(snapshot, places[name], clip) for snapshot, places in seen]
        print(f"{name}: {', '.join(f'{decibels:.1f}' for decibels in measured)} dB")
        assert statistics.median(measured) >= 30, f"{name}'s tile is {measured} dB from its source in three snapshots"
