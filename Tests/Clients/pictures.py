"""Pictures: plain colours, and how like its source a picture is."""

import numpy
from PIL import Image

from colours import Colour
from layout import Rectangle

def colour_at(picture: numpy.ndarray, tile: Rectangle) -> Colour:
    """The mean colour of the 16x16 pixels at a tile's centre."""
    x, y = tile.centre
    red, green, blue = picture[y - 8:y + 8, x - 8:x + 8].reshape(-1, 3).mean(axis=0)
    return round(red), round(green), round(blue)


def luma(picture: numpy.ndarray) -> numpy.ndarray:
    """BT.601 luma in its limited range, as pictures travel."""
    return 16 + picture.astype(numpy.float64) @ numpy.array([65.481, 128.553, 24.966]) / 255


def psnr(one: numpy.ndarray, other: numpy.ndarray) -> float:
    """Peak signal to noise ratio of two luma planes, in dB."""
    error = numpy.mean((one.astype(numpy.float64) - other.astype(numpy.float64)) ** 2)
    return 99.0 if error == 0 else 10 * numpy.log10(255 ** 2 / error)


def covering(plane: numpy.ndarray, width: int, height: int) -> numpy.ndarray:
    """A luma plane scaled to cover a size, its middle kept: Pillow's bicubic filter is the reference."""
    source_height, source_width = plane.shape
    scale = max(width / source_width, height / source_height)
    used_width, used_height = width / scale, height / scale
    left, top = (source_width - used_width) / 2, (source_height - used_height) / 2
    image = Image.fromarray(plane.astype(numpy.float32))
    box = (left, top, left + used_width, top + used_height)
    return numpy.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box=box))
