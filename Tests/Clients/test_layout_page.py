"""The page for authors of layouts: edit, see a fault, mend it, see the picture change, save, and the running room takes it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy
from playwright.async_api import Page, Route

from chromium_page import ChromiumPage, chromium
from colours import RED, plain
from http_api import RoomAPI
from server import REPOSITORY, Server
from tones import VOICES

WHOLE = '{ "variants": [{ "slots": [{ "x": 0, "y": 0, "width": 360, "height": 360 }] }] }\n'
FAULTY = '{ "variants": [{ "slots": [\n  { "x": 0, "y": 0, "width": 180, "heigth": 360 } ] }] }\n'
HALF = FAULTY.replace("heigth", "height")

#: The colour of a place of the preview, in parts of its width and height.
PIXEL = """([x, y]) => {
  const image = document.getElementById("picture");
  if (!image.naturalWidth) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
}"""

SELECTED = """() => {
  const text = document.getElementById("text");
  return text.value.slice(text.selectionStart, text.selectionEnd);
}"""


async def test_a_layout_is_written_seen_and_taken_by_the_room(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    file = tmp_path / "grid.json"
    file.write_text(WHOLE)
    server = start_server(layouts=tmp_path)
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        await until(lambda: right_half(red), "the room shows Red in the whole picture", is_red)

        browser = red.page.context.browser
        assert browser is not None
        page = await browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(server.url + "/layouts?layout=grid&participants=1&size=640x360")
        await words(page, "#status", "No faults")
        assert await page.input_value("#text") == WHOLE
        assert await page.is_disabled("#save")
        person = await until(
            lambda: page.evaluate(PIXEL, [0.75, 0.1]), "somebody is in the preview", lambda seen: seen and max(seen) > 60)

        # A slip is told with its place, and leaves the picture and the file as they are.
        await page.fill("#text", FAULTY)
        await words(page, "#status", "fault")
        await words(page, "#findings", "unknown key 'heigth', did you mean 'height'?")
        await words(page, "#findings", "2:35")
        assert await page.evaluate(PIXEL, [0.75, 0.1]) == person
        for wanted in ['"heigth"', '"heigth"']:
            await page.press("#text", "F8")
            assert await page.evaluate(SELECTED) == wanted
        await page.keyboard.press("Control+s")
        await words(page, "#notice-words", "Line 2, column ")
        assert file.read_text() == WHOLE

        # Mended, the picture follows before anything is saved.
        await page.fill("#text", HALF)
        await words(page, "#status", "No faults, not saved")
        background = await until(lambda: page.evaluate(PIXEL, [0.75, 0.1]), "the right half is empty", lambda p: max(p) < 40)
        assert background == [16, 20, 24] or max(abs(a - b) for a, b in zip(background, [16, 20, 24])) < 6
        assert is_red(await right_half(red))

        # Saved, the room shows it.
        await page.keyboard.press("Control+s")
        await words(page, "#status", "saved")
        assert file.read_text() == HALF
        await until(lambda: right_half(red), "the room leaves the right half empty", lambda colour: max(colour) < 40)

        # What somebody else saved is not overwritten unasked.
        file.write_text(WHOLE)
        await until(lambda: right_half(red), "the room follows the file", is_red)
        await page.fill("#text", HALF + "// mine\n")
        await page.keyboard.press("Control+s")
        await words(page, "#notice-words", "changed by somebody else")
        assert file.read_text() == WHOLE
        await page.click("#keep-mine")
        await words(page, "#status", "saved")
        assert file.read_text() == HALF + "// mine\n"

        # A new one can be chosen at once.
        await page.click("#new")
        await page.fill("#new-name", "mine")
        await page.select_option("#beginning", "plain speaker")
        await page.keyboard.press("Enter")
        await words(page, "#status", "not saved")
        await page.keyboard.press("Control+s")
        await words(page, "#status", "mine is made")
        assert (await api.get(f"/v1/layouts"))["layouts"] == ["grid", "mine"]
        assert [line for line in said if "412" not in line and "422" not in line] == []


TWO = """{
  "units": [640, 360], // one to one
  "variants": [{ "slots": [
    { "id": "a", "x": 0, "y": 0, "width": 320, /* half */ "height": 360 },
    { "id": "b", "x": 320, "y": 0, "width": 320, "height": 180 } // above
  ] }, { "grid": { "columns": 3, "rows": 1 } }]
}
"""


@asynccontextmanager
async def author_of_two(start_server: Callable[..., Server], layouts: Path, text: str) -> AsyncIterator[Page]:
    """The page of a server of its own, at a layout of two slots."""
    (layouts / "two.json").write_text(text)
    (layouts / "grid.json").write_text(WHOLE)
    server = start_server(layouts=layouts)
    async with chromium(server.url + "/layouts?layout=two&participants=2&size=640x360", VOICES[0], plain(RED)) as author:
        yield author.page


async def test_slots_are_moved_with_the_mouse_and_written_back(start_server: Callable[..., Server], tmp_path: Path) -> None:
    async with author_of_two(start_server, tmp_path, TWO) as page:
        await words(page, "#status", "No faults")
        text = TWO

        async def follows(old: str, new: str) -> None:
            nonlocal text
            assert old in text
            text = text.replace(old, new)
            await until(lambda: page.input_value("#text"), text, lambda value: value == text)
            await words(page, "#status", "No faults")

        async def drag(handle: str, right: float, down: float) -> None:
            box = await page.locator(handle).bounding_box()
            scale = (await page.locator("#outlines").bounding_box())["width"] / 640
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            await page.mouse.move(x, y)
            await page.mouse.down()
            for step in range(1, 5):
                await page.mouse.move(x + right * scale * step / 4, y + down * scale * step / 4)
            await page.mouse.up()

        await until(lambda: page.locator("#outlines g.free").count(), "both slots can be moved", lambda count: count == 2)
        # Let go near the canvas's middle, its upper edge lies there.
        await drag('[data-slot="1"] rect', 0, 177)
        await follows('"x": 320, "y": 0, "width": 320, "height": 180', '"x": 320, "y": 180, "width": 320, "height": 180')
        await drag('[data-slot="0"] .handle:nth-of-type(5)', -100, -60)
        await follows('"width": 320, /* half */ "height": 360', '"width": 220, /* half */ "height": 300')
        await page.focus('[data-slot="1"]')
        await page.keyboard.press("ArrowLeft")
        await follows('"x": 320, "y": 180', '"x": 318, "y": 180')
        await page.keyboard.press("Shift+ArrowUp")
        await follows('"x": 318, "y": 180, "width": 320, "height": 180', '"x": 318, "y": 180, "width": 320, "height": 178')
        await page.focus("#text")
        await page.keyboard.press("Control+z")
        await follows('"width": 320, "height": 178', '"width": 320, "height": 180')
        # A click still finds the line.
        await page.click('[data-slot="0"] rect', position={"x": 20, "y": 20})
        assert await page.evaluate(SELECTED) == "{"
        # Slots of a grid have no numbers of their own.
        await page.fill("#participants", "3")
        await until(lambda: page.locator("#outlines g").count(), "the grid is shown", lambda count: count == 3)
        assert await page.locator("#outlines g.free").count() == 0


NEIGHBOURS = """{ "units": [640, 360], "variants": [{ "slots": [
  { "x": 100, "y": 0, "width": 200, "height": 360 }, { "x": 300, "y": 0, "width": 300, "height": 360 }
] }] }
"""


async def test_no_press_of_an_arrow_is_lost(start_server: Callable[..., Server], tmp_path: Path) -> None:
    async with author_of_two(start_server, tmp_path, NEIGHBOURS) as page:
        await until(lambda: page.locator("#outlines g.free").count(), "both slots can be moved", lambda count: count == 2)
        # A picture of the text as it is now is late.
        may_come = asyncio.Event()

        async def hold(route: Route) -> None:
            await may_come.wait()
            await route.continue_()

        await page.route("**/preview.png?*", hold)
        before = await page.get_attribute("#picture", "src")
        async with page.expect_request("**/preview.png?*"):
            await page.select_option("#floor", "2")
        # From here on nothing is asked anew: what is typed is known to the page alone.
        await page.evaluate("() => { window.setTimeout = () => 0 }")
        await page.focus('[data-slot="0"]')
        await page.keyboard.press("ArrowLeft")
        await page.evaluate("() => { window.kept = document.activeElement }")
        may_come.set()
        await until(lambda: page.get_attribute("#picture", "src"), "the late picture is shown", lambda src: src != before)
        assert await page.evaluate("() => window.kept === document.activeElement")
        for _ in range(3):
            await page.keyboard.press("ArrowLeft")
        # Its neighbour stands behind it in the same line, which became shorter.
        await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Shift+ArrowRight")
        moved = NEIGHBOURS.replace('"x": 100', '"x": 92').replace('"x": 300, "y": 0, "width": 300', '"x": 298, "y": 0, "width": 302')
        assert await page.input_value("#text") == moved


async def test_keys_and_values_are_offered(start_server: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "grid.json").write_text(WHOLE)
    server = start_server(layouts=tmp_path)
    asked: list[str] = []
    async with chromium(server.url + "/layouts?layout=grid", VOICES[0], plain(RED)) as author:
        page = author.page
        page.on("request", lambda request: asked.append(request.url))
        await words(page, "#status", "No faults")
        start = '{ "variants": [{ "slots": [{ "x": 0, "y": 0, "width": 360, "height": 360, '
        await page.fill("#text", start + "}] }] }")
        await page.evaluate("at => document.getElementById('text').setSelectionRange(at, at)", len(start))
        await page.keyboard.type('"so')
        await words(page, "#completion", "source")
        await page.keyboard.press("Enter")
        await page.keyboard.type('"floor", "f')
        await words(page, "#completion", "fit")
        assert "source" not in await page.inner_text("#completion .what")
        await page.keyboard.press("Tab")
        # A value that is one of a few is offered at once.
        await words(page, "#completion", "contain")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        assert await page.input_value("#text") == start + '"source": "floor", "fit": "contain"}] }] }'
        await words(page, "#status", "No faults, not saved")
        await page.keyboard.type(", ")
        await page.keyboard.press("Control+Space")
        offered = (await page.inner_text("#completion")).splitlines()
        assert "border" in offered and not {"x", "source", "fit", "variants"} & set(offered)
        await page.keyboard.press("Escape")
        assert await page.is_hidden("#completion")
        assert all(url.startswith((server.url, "blob:")) for url in asked), asked


async def test_a_layout_in_use_stays_and_another_is_deleted(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    for name in ("grid", "single", "spare"):
        (tmp_path / f"{name}.json").write_text(WHOLE)
    server = start_server(layouts=tmp_path)
    async with RoomAPI(server.url) as api, chromium(server.url + "/layouts?layout=single", VOICES[0], plain(RED)) as author:
        await api.put_room(room, {"layout": "single"})
        page = author.page
        page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await words(page, "#status", "No faults")
        await page.click("#delete")
        await words(page, "#notice-words", f"in use: the room '{room}' has it")
        await page.select_option("#file", "spare")
        await words(page, "#status", "No faults")
        await page.click("#delete")
        await until(lambda: api.get("/v1/layouts"), "spare is gone", lambda answer: answer["layouts"] == ["grid", "single"])
        assert not (tmp_path / "spare.json").exists()
        await until(lambda: page.input_value("#file"), "another is open", lambda name: name == "grid")


async def test_what_came_with_the_server_is_brought_back(start_server: Callable[..., Server], tmp_path: Path) -> None:
    shipped = {name: (REPOSITORY / f"Layouts/{name}.json").read_text() for name in ("speaker", "stage")}
    (tmp_path / "grid.json").write_text(WHOLE)
    (tmp_path / "speaker.json").write_text(HALF)
    (tmp_path / "mine.json").write_text(HALF)
    server = start_server(layouts=tmp_path)
    async with chromium(server.url + "/layouts?layout=mine", VOICES[0], plain(RED)) as author:
        page = author.page
        await words(page, "#status", "No faults")
        assert await page.is_hidden("#restore")
        # One that was changed.
        await page.select_option("#file", "speaker")
        await page.wait_for_selector("#restore", state="visible")
        await page.click("#restore")
        await until(lambda: page.input_value("#text"), "its text is back", lambda text: text == shipped["speaker"])
        await words(page, "#status", "No faults, not saved")
        await page.keyboard.press("Control+s")
        await words(page, "#status", "speaker is saved")
        assert (tmp_path / "speaker.json").read_text() == shipped["speaker"]
        # One that is gone: it brings its name along.
        await page.click("#new")
        await page.select_option("#beginning", "stage")
        assert await page.input_value("#new-name") == "stage"
        await page.click("#naming button[type=submit]")
        await until(lambda: page.input_value("#text"), "its text is back", lambda text: text == shipped["stage"])
        await page.keyboard.press("Control+s")
        await words(page, "#status", "stage is made")
        assert (tmp_path / "stage.json").read_text() == shipped["stage"]


def is_red(colour: Any) -> bool:
    return colour[0] > 120 and colour[1] < 80 and colour[2] < 80


async def right_half(page: ChromiumPage) -> list[int]:
    """The colour that the room's picture has in the middle of its right half."""
    picture: numpy.ndarray = await page.picture()
    return [int(part) for part in picture[picture.shape[0] // 2, picture.shape[1] * 3 // 4]]


async def until(ask: Callable[[], Any], what: str, holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 20
    while not holds(found := await ask()):
        assert time.monotonic() < deadline, f"within 20 s not so: {what}; there is {found}"
        await asyncio.sleep(0.1)
    return found


async def words(page: Page, element: str, wanted: str) -> None:
    """Waits until an element of the page says something."""
    deadline = time.monotonic() + 20
    while wanted not in (said := await page.inner_text(element)):
        assert time.monotonic() < deadline, f"{element} was to say '{wanted}', and says '{said}'"
        await asyncio.sleep(0.05)
