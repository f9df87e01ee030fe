"""Tones: made, and measured in what was received."""

import numpy

SAMPLE_RATE = 48_000
#: Three people's voices, in hertz: more than an octave apart and with no common measure. A codec's noise lies next to the
#: tones it carries and, where they are multiples of one another's distance, in lines exactly at the third: that is no echo.
VOICES = (440.0, 1130.3, 2570.9)


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


def levels(samples: numpy.ndarray, frequency: float, seconds: float = 4.0) -> numpy.ndarray:
    """A frequency's levels in overlapping windows of a quarter of a second over the last seconds."""
    length = SAMPLE_RATE // 4
    recent = samples[-int(seconds * SAMPLE_RATE):]
    if len(recent) < 2 * length:
        raise AssertionError(f"Only {len(recent) / SAMPLE_RATE:.2f} s of sound were received; at least 0.5 s are needed.")
    starts = range(0, len(recent) - length + 1, length // 2)
    return numpy.array([level(recent[start:start + length], frequency) for start in starts])


def expect_minus_one(samples: numpy.ndarray, own: float | None, others: list[float], who: str, silent: float = 60) -> None:
    """The others' tones are there within 1 dB of one another; one's own is that many dB below them.

    Medians, so that a late packet spoils its window alone. A seam in somebody's tone is noise at every frequency, while
    an own voice would be in all windows: the quieter quarter of them tells.
    """
    heard = {frequency: float(numpy.median(levels(samples, frequency))) for frequency in others}
    report = ", ".join(f"{frequency:.0f} Hz {value:.1f} dB" for frequency, value in heard.items())
    assert min(heard.values()) > -40, f"{who} does not hear everybody: {report}"
    assert max(heard.values()) - min(heard.values()) <= 1, f"{who} hears the others more than 1 dB apart: {report}"
    if own is not None:
        echo = float(numpy.quantile(levels(samples, own), 0.25))
        assert echo <= min(heard.values()) - silent, f"{who} hears the own tone: {report}, own {own:.0f} Hz {echo:.1f} dB"
