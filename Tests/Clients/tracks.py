"""What participants send: sources of sound and picture, paced by absolute deadlines."""

import asyncio
import fractions
import itertools
import time
from collections.abc import Callable, Iterator

import av
import numpy

try:
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
except ImportError:  # libwebrtc's environment offers the same interface under another name
    from webrtc.aiortc import MediaStreamError, MediaStreamTrack

from tones import SAMPLE_RATE, tone

FRAME_SAMPLES = SAMPLE_RATE // 50
VIDEO_CLOCK = fractions.Fraction(1, 90_000)


class Paced(MediaStreamTrack):
    """A track whose n-th frame is due n periods after its first, however late the ones between were."""

    period: float = 0.02

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.started: float | None = None

    async def next_index(self) -> int:
        """Waits for the next frame's time and gives its number."""
        if self.readyState != "live":
            raise MediaStreamError
        if self.started is None:
            self.started = time.monotonic()
        wait = self.started + self.count * self.period - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        self.count += 1
        return self.count - 1


class Sound(Paced):
    """20 ms of mono sound at a time, from a function of the first sample's number and the count."""

    kind = "audio"

    def __init__(self, samples: Callable[[int, int], numpy.ndarray]) -> None:
        super().__init__()
        self.samples = samples

    async def recv(self) -> av.AudioFrame:
        first = await self.next_index() * FRAME_SAMPLES
        frame = av.AudioFrame.from_ndarray(self.samples(first, FRAME_SAMPLES).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, fractions.Fraction(1, SAMPLE_RATE)
        return frame


def tone_track(frequency: float) -> Sound:
    return Sound(lambda first, count: tone(frequency, first, count))


class Speech(Sound):
    """Silence until `speak` is called, then a recording once, then silence again."""

    def __init__(self) -> None:
        super().__init__(self._samples)
        self._recording, self._begins = numpy.zeros(0, numpy.int16), 0

    def speak(self, recording: numpy.ndarray) -> None:
        self._recording, self._begins = recording, self.count * FRAME_SAMPLES

    def _samples(self, first: int, count: int) -> numpy.ndarray:
        offset = first - self._begins
        part = self._recording[offset:offset + count] if offset >= 0 else self._recording[:0]
        return numpy.pad(part, (0, count - len(part)))


class Pictures(Paced):
    """Pictures one after the other, for ever."""

    kind = "video"

    def __init__(self, pictures: Iterator[av.VideoFrame], rate: float) -> None:
        super().__init__()
        self.pictures, self.period = pictures, 1 / rate
        #: Only each so-manieth picture is sent; may be changed on the way.
        self.every = 1

    async def recv(self) -> av.VideoFrame:
        index = await self.next_index()
        while index % self.every:
            index = await self.next_index()
        frame = next(self.pictures)
        frame.pts, frame.time_base = round(index * self.period * 90_000), VIDEO_CLOCK
        return frame


def colour_track(picture: numpy.ndarray, rate: float = 15) -> Pictures:
    """The same plain picture again and again."""
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    return Pictures(itertools.repeat(frame), rate)
