"""Tones: made, and measured in what was received."""

import numpy

SAMPLE_RATE = 48_000
#: Three people's voices, in hertz.
VOICES = (440.0, 660.0, 880.0)


def tone(frequency: float, first_sample: int, count: int, amplitude: float = 0.2) -> numpy.ndarray:
    """Samples of a steady tone as 16-bit integers, continuous over calls."""
    phase = 2 * numpy.pi * frequency / SAMPLE_RATE * numpy.arange(first_sample, first_sample + count)
    return numpy.rint(32767 * amplitude * numpy.sin(phase)).astype(numpy.int16)


def level(samples: numpy.ndarray, frequency: float) -> float:
    """The amplitude of one frequency in samples of -1...1, in dB of full scale, under a Blackman window.

    Its side lobes are 58 dB down beside the tone and more than 120 dB at the distance of another voice.
    """
    window = numpy.blackman(len(samples))
    phase = numpy.exp(-2j * numpy.pi * frequency / SAMPLE_RATE * numpy.arange(len(samples)))
    amplitude = 2 * abs(numpy.sum(samples * window * phase)) / numpy.sum(window)
    return 20 * numpy.log10(max(amplitude, 1e-9))


def levels(samples: numpy.ndarray, frequencies: tuple[float, ...] = VOICES, seconds: float = 3.0) -> list[float]:
    """Each frequency's median level over windows of half a second in the last seconds: one late packet spoils one window."""
    length = SAMPLE_RATE // 2
    recent = samples[-int(seconds * SAMPLE_RATE):]
    if len(recent) < length:
        raise AssertionError(f"Only {len(recent) / SAMPLE_RATE:.2f} s of sound were received; at least 0.5 s are needed.")
    starts = range(0, len(recent) - length + 1, length // 2)
    return [float(numpy.median([level(recent[s:s + length], f) for s in starts])) for f in frequencies]


def expect_minus_one(samples: numpy.ndarray, own: float | None, others: list[float], who: str, silent: float = 60) -> None:
    """The others' tones are there within 1 dB of one another; one's own is that many dB below them."""
    asked = tuple(others) + ((own,) if own is not None else ())
    measured = dict(zip(asked, levels(samples, asked)))
    heard = [measured[frequency] for frequency in others]
    report = ", ".join(f"{frequency:.0f} Hz {value:.1f} dB" for frequency, value in measured.items())
    assert min(heard) > -40, f"{who} does not hear everybody: {report}"
    assert max(heard) - min(heard) <= 1, f"{who} hears the others more than 1 dB apart: {report}"
    if own is not None:
        assert measured[own] <= min(heard) - silent, f"{who} hears the own tone: {report}"
