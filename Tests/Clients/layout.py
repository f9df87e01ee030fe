"""Where the tiles of a layout lie, computed from the layout file as the contract describes it."""

import math
from dataclasses import dataclass
from typing import Any

from http_api import RoomAPI


@dataclass(frozen=True)
class Rectangle:
    """Pixels of a canvas: left and top edge, then size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def centre(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


def edge(coordinate: float, canvas: int, units: int) -> int:
    """A pixel edge: round(units coordinate x canvas / units), halves away from zero."""
    return math.floor(coordinate * canvas / units + 0.5)


def _slots(variant: dict[str, Any], units: tuple[int, int]) -> list[dict[str, Any]]:
    if "slots" in variant:
        return variant["slots"]
    grid = variant["grid"]
    columns, rows, gap = grid["columns"], grid["rows"], grid.get("gap", 0)
    width = (units[0] - gap * (columns - 1)) / columns
    height = (units[1] - gap * (rows - 1)) / rows
    return [
        {"x": column * (width + gap), "y": row * (height + gap), "width": width, "height": height}
        for row in range(rows) for column in range(columns)]


def rectangles(layout: dict[str, Any], people: int, width: int, height: int) -> dict[str | int, Rectangle]:
    """The rectangle of each slot, by the slot's id, else by its index, for so many people."""
    units = tuple(layout.get("units", [360, 360]))
    variants = [_slots(variant, units) for variant in layout["variants"]]
    slots = next((slots for slots in variants if len(slots) >= people), variants[-1])
    result: dict[str | int, Rectangle] = {}
    for index, slot in enumerate(slots):
        left, top = edge(slot["x"], width, units[0]), edge(slot["y"], height, units[1])
        right = edge(slot["x"] + slot["width"], width, units[0])
        bottom = edge(slot["y"] + slot["height"], height, units[1])
        result[slot.get("id", index)] = Rectangle(left, top, right - left, bottom - top)
    return result


async def tiles(api: RoomAPI, room: str, width: int, height: int) -> dict[str, Rectangle]:
    """Where each shown participant's tile lies now, by the participant's name."""
    shown = [person for person in await api.participants(room) if person["slot"] is not None]
    settings = await api.get(f"/v1/rooms/{room}")
    layout = await api.get(f"/v1/layouts/{settings['layout']}")
    places = rectangles(layout, len(shown), width, height)
    return {person["name"]: places[person["slot"]] for person in shown}
