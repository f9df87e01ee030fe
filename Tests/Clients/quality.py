"""How like their sources a received picture and received speech are."""

import numpy
from pesq import pesq
from scipy.signal import correlate

from footage import SPEECH_RATE, Clip, at_16k
from layout import Rectangle
from pictures import covering, luma, psnr

#: Pixels at a tile's edge that may show a border, and the share of its height at the bottom that may show a name.
EDGE, NAME = 6, 0.2


def tile_psnr(picture: numpy.ndarray, tile: Rectangle, clip: Clip) -> float:
    """The luma PSNR of a tile against the frame of its clip that it is most like, scaled to cover the tile."""
    bottom = round(tile.height * (1 - NAME))
    seen = luma(picture[tile.y:tile.y + tile.height, tile.x:tile.x + tile.width])
    small = seen[EDGE:bottom:8, EDGE:-EDGE:8]

    def difference(plane: numpy.ndarray) -> float:
        return psnr(small, covering(plane, tile.width, tile.height)[EDGE:bottom:8, EDGE:-EDGE:8])

    likest = max(clip.planes, key=difference)
    return psnr(seen[EDGE:bottom, EDGE:-EDGE], covering(likest, tile.width, tile.height)[EDGE:bottom, EDGE:-EDGE])


def speech_quality(sent: numpy.ndarray, heard: numpy.ndarray) -> float:
    """PESQ-WB of what was heard (48 kHz, -1...1) of a recording (16 kHz, 16 bit), aligned by cross-correlation."""
    # Silence is not sent: what was heard may begin with the first word and end with the last.
    margin = numpy.zeros(2 * SPEECH_RATE, dtype=heard.dtype)
    received = numpy.concatenate([margin, at_16k(heard), margin])
    similarity = correlate(received.astype(numpy.float64), sent.astype(numpy.float64), mode="valid", method="fft")
    begins = int(numpy.argmax(similarity))
    return float(pesq(SPEECH_RATE, sent, received[begins:begins + len(sent)], "wb"))
