"""Recordings played into a room: heard by whom they are for, as long as they are played."""

import asyncio
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from http_api import Refused, RoomAPI
from python_peer import Peer
from server import Server
from tones import SAMPLE_RATE, VOICES, level, tone
from tracks import tone_track

ADA, BOB, PROMPT = VOICES
#: Heard, and not heard, in dB of full scale: what is played has a fifth of it, -14 dB.
LOUD, GONE = -30.0, -65.0


def write_prompt(directory: Path, name: str, rate: int = 44_100) -> None:
    """A second of tone, stereo, at a rate that is not the mixer's."""
    samples = tone(PROMPT * SAMPLE_RATE / rate, 0, rate)  # so many hertz at this rate
    with wave.open(str(directory / name), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numpy.repeat(samples, 2).tobytes())


async def heard(peer: Peer, seconds: float = 1.5) -> dict[float, float]:
    """The level of each tone in what a peer hears from now on."""
    await asyncio.sleep(0.7)
    await peer.hears(seconds)
    samples = peer.received_sound()[-int(seconds * SAMPLE_RATE):]
    return {frequency: level(samples, frequency) for frequency in VOICES}


async def test_a_looped_prompt_is_heard_until_it_is_stopped(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    write_prompt(tmp_path, "notice.wav")
    server = start_server(f"{{ prompts: '{tmp_path}' }}")
    ada, bob = Peer(tone_track(ADA)), Peer(tone_track(BOB))
    async with RoomAPI(server.url) as api:
        # As it comes: levels are what is measured.
        await api.put_room(room, {"audio": {"mode": "music"}})
        await ada.join(api, room)
        await bob.join(api, room)
        for audience, placement in [(None, "under"), (ada, "under"), (ada, "instead")]:
            request = {"file": "notice.wav", "loop": True, "placement": placement}
            if audience is not None and audience.session is not None:
                request["participant"] = audience.session.participant
            place = await api.start_prompt(room, request)
            for_ada, for_bob = await asyncio.gather(heard(ada), heard(bob))
            assert for_ada[PROMPT] > LOUD, f"Ada does not hear the prompt ({placement}): {for_ada}"
            assert (for_ada[BOB] > LOUD) == (placement == "under"), f"Ada and Bob's voice, {placement}: {for_ada}"
            assert (for_bob[PROMPT] > LOUD) == (audience is None), f"Bob, who is not the audience: {for_bob}"
            assert for_bob[ADA] > LOUD, f"Bob hears Ada all the time: {for_bob}"
            assert [prompt["file"] for prompt in (await api.get(f"/v1/rooms/{room}/prompts"))["prompts"]] == ["notice.wav"]
            await api.delete(place)
            after = await heard(ada)
            assert after[PROMPT] < GONE and after[BOB] > LOUD, f"After the prompt was stopped, Ada hears {after}"
        for peer in (ada, bob):
            await peer.leave(api)


async def test_one_who_is_alone_hears_the_waiting_sound(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    write_prompt(tmp_path, "waiting.wav")
    server = start_server(f"{{ prompts: '{tmp_path}' }}")
    ada, bob = Peer(tone_track(ADA)), Peer(tone_track(BOB))
    async with RoomAPI(server.url) as api:
        await api.put_room(room, {"audio": {"mode": "music", "waiting": "waiting.wav"}})
        await ada.join(api, room)
        alone = await heard(ada)
        assert alone[PROMPT] > LOUD, f"Alone, Ada hears {alone}"
        await bob.join(api, room)
        together = await heard(ada)
        assert together[PROMPT] < GONE and together[BOB] > LOUD, f"With Bob, Ada hears {together}"
        await bob.leave(api)
        again = await heard(ada)
        assert again[PROMPT] > LOUD, f"Alone again, Ada hears {again}"
        await ada.leave(api)


async def test_a_prompt_ends_by_itself_and_is_told(server: Server, room: str) -> None:
    ada = Peer(tone_track(ADA))
    async with RoomAPI(server.url) as api:
        await ada.join(api, room)
        async with api.events(room) as socket:
            place = await api.start_prompt(room, {"file": "tone:join"})
            told: list[dict[str, Any]] = []
            while len(told) < 2:
                event = await socket.receive_json(timeout=10)
                told += [event] if event["type"].startswith("prompt") else []
            assert [event["type"] for event in told] == ["prompt-started", "prompt-ended"]
            assert told[1]["reason"] == "finished" and place.endswith("/" + told[1]["prompt"]["id"])
        await ada.leave(api)


async def test_only_files_of_the_directory_are_played(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    write_prompt(tmp_path, "secret.wav")
    inside = tmp_path / "prompts"
    inside.mkdir()
    (inside / "link.wav").symlink_to(tmp_path / "secret.wav")
    (inside / "broken.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEfmt ")
    server = start_server(f"{{ prompts: '{inside}' }}")
    ada = Peer(tone_track(ADA))
    async with RoomAPI(server.url) as api:
        await ada.join(api, room)
        for name in ["../secret.wav", "link.wav", "broken.wav", "/etc/passwd", "..", "", "missing.wav"]:
            try:
                await api.start_prompt(room, {"file": name})
            except Refused as refused:
                assert refused.status == 422 and refused.content_type == "application/problem+json", f"{name}: {refused}"
            else:
                raise AssertionError(f"{name} is played")
        await ada.leave(api)
