"""Plain pictures that tell people apart."""

import numpy

Colour = tuple[int, int, int]
RED: Colour = (200, 40, 40)
GREEN: Colour = (40, 170, 40)
BLUE: Colour = (40, 40, 200)


def plain(colour: Colour, width: int = 640, height: int = 360) -> numpy.ndarray:
    return numpy.full((height, width, 3), colour, numpy.uint8)


def alike(one: Colour, other: Colour, tolerance: int = 36) -> bool:
    """Whether colours agree but for coding and for BT.601 read as BT.709."""
    return max(abs(a - b) for a, b in zip(one, other)) <= tolerance
