"""Camera and microphone of Chromium's fake devices, as files."""

import wave
from pathlib import Path

import av
import numpy

from tones import SAMPLE_RATE, tone


def write_camera(file: Path, picture: numpy.ndarray, pictures: int = 10) -> None:
    """A raw YUV4MPEG clip at 30 pictures a second that shows one picture."""
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    planes = b"".join(bytes(numpy.frombuffer(plane, numpy.uint8).reshape(plane.height, plane.line_size)[:, :plane.width])
                      for plane in frame.planes)
    header = f"YUV4MPEG2 W{frame.width} H{frame.height} F30:1 Ip A1:1 C420jpeg\n".encode()
    file.write_bytes(header + (b"FRAME\n" + planes) * pictures)


def write_microphone(file: Path, frequency: float, seconds: int = 60) -> None:
    """A tone in a WAV file long enough not to begin again while a test listens."""
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(SAMPLE_RATE)
        recording.writeframes(tone(frequency, 0, seconds * SAMPLE_RATE).tobytes())
