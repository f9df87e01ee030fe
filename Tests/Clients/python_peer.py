"""A participant in Python: aiortc, or libwebrtc where the `wrtc` environment runs this file."""

import asyncio
import time
from typing import TYPE_CHECKING, Optional

import av
import numpy

try:
    import aioice.ice
    import aiortc
    from aiortc.mediastreams import MediaStreamError

    # Everybody is on this machine: other interfaces only make more candidate pairs to check.
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
except ImportError:
    from webrtc import aiortc
    from webrtc.aiortc import MediaStreamError

if TYPE_CHECKING:
    from http_api import MediaSession, RoomAPI


class Peer:
    """One connection: what it sends is given, what it receives is recorded."""

    #: Those not closed yet, so that a test that fails leaves nobody behind.
    open: set["Peer"] = set()

    def __init__(self, *tracks: aiortc.MediaStreamTrack, receives: bool = True) -> None:
        self.connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.sound: list[tuple[int, numpy.ndarray]] = []
        self.picture: av.VideoFrame | None = None
        self.pictures = 0
        self.session: Optional["MediaSession"] = None
        Peer.open.add(self)
        self._recorders: list[asyncio.Task[None]] = []
        self.connection.on("track", self._record)
        for track in tracks:
            self.connection.addTransceiver(track, direction="sendrecv" if receives else "sendonly")
        for kind in ("audio", "video"):
            if receives and not any(track.kind == kind for track in tracks):
                self.connection.addTransceiver(kind, direction="recvonly")

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def answer(self, sdp: str) -> None:
        await self.connection.setRemoteDescription(aiortc.RTCSessionDescription(sdp=sdp, type="answer"))

    async def join(
        self, api: "RoomAPI", room: str, endpoint: str = "participants", query: dict[str, str] | None = None
    ) -> None:
        """Takes part in a room and waits until connected."""
        self.session = await api.offer(room, endpoint, await self.offer(), query)
        await self.answer(self.session.answer)
        await self.connected()

    async def connected(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while self.connection.connectionState != "connected":
            state = self.connection.connectionState
            assert state not in ("failed", "closed"), f"The connection ended: {state}"
            assert time.monotonic() < deadline, f"Not connected after {seconds} s: {state}, ICE {self.connection.iceConnectionState}"
            await asyncio.sleep(0.02)

    async def leave(self, api: "RoomAPI") -> None:
        if self.session is not None:
            await api.leave(self.session)
        await self.close()

    async def close(self) -> None:
        Peer.open.discard(self)
        for recorder in self._recorders:
            recorder.cancel()
        await self.connection.close()

    def _record(self, track: aiortc.MediaStreamTrack) -> None:
        recorder = self._record_sound if track.kind == "audio" else self._record_pictures
        self._recorders.append(asyncio.ensure_future(recorder(track)))

    async def _record_sound(self, track: aiortc.MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            channels = len(frame.layout.channels)
            samples = frame.to_ndarray().reshape(-1, channels).mean(axis=1) / 32768
            self.sound.append((frame.pts, samples))

    async def _record_pictures(self, track: aiortc.MediaStreamTrack) -> None:
        while True:
            try:
                self.picture = await track.recv()
            except MediaStreamError:
                return
            self.pictures += 1

    def received_sound(self) -> numpy.ndarray:
        """Everything heard so far at 48 kHz, -1...1, each packet at its timestamp's place.

        aiortc holds a talkspurt's last packets back until the next one begins: what comes before a pause right at the start was
        said before anybody listened.
        """
        sound = list(self.sound)
        for index in range(min(len(sound) - 1, 16), 0, -1):
            if sound[index][0] - sound[index - 1][0] > 24_000:
                sound = sound[index:]
                break
        if not sound:
            return numpy.zeros(0)
        first = sound[0][0]
        length = max(pts - first + len(samples) for pts, samples in sound)
        result = numpy.zeros(length)
        for pts, samples in sound:
            if pts >= first:
                result[pts - first:pts - first + len(samples)] = samples
        return result

    def received_picture(self) -> numpy.ndarray:
        """The picture received last, as RGB."""
        assert self.picture is not None, "No picture was received."
        return self.picture.to_ndarray(format="rgb24")

    async def sees(self, pictures: int = 30, seconds: float = 10) -> None:
        """Waits for so many more pictures."""
        enough, deadline = self.pictures + pictures, time.monotonic() + seconds
        while self.pictures < enough:
            assert time.monotonic() < deadline, f"{self.pictures} pictures after {seconds} s; {enough} were due."
            await asyncio.sleep(0.05)

    async def hears(self, seconds: float) -> None:
        """Forgets what was heard and listens for so long."""
        self.sound.clear()
        deadline = time.monotonic() + seconds + 5
        while len(self.received_sound()) < seconds * 48_000:
            assert time.monotonic() < deadline, f"{len(self.received_sound()) / 48_000:.2f} s of sound after {seconds + 5} s"
            await asyncio.sleep(0.1)
