"""What the page tells the server about its own person, and what it takes from it."""

import asyncio
import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from chromium_page import ChromiumPage, chromium, red_and_blue
from colours import RED, plain
from http_api import RoomAPI
from python_peer import Peer
from server import Server
from tones import VOICES


async def test_mute_and_sound_are_told_and_followed(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"audio": {"outputs": [{"name": "low", "bitrate": 12_000, "ptime": 60}]}})
        await red.join("Red", room)
        [person] = await api.participants(room)
        assert not person["audioMuted"] and not person["deaf"] and person["receives"]["audio"] == "main"
        await red.page.click("#mute")
        await until(api, room, audioMuted=True)
        await words(red, "#participants", "muted")
        await red.page.click("#mute")
        await until(api, room, audioMuted=False)
        await red.page.keyboard.press("d")
        await until(api, room, deaf=True)
        assert await red.page.evaluate("document.getElementById('picture').muted")
        await words(red, "#participants", "hears nothing")
        await red.page.click("#deafen")
        await until(api, room, deaf=False)
        await red.page.select_option("#sound-select", "low")
        await until(api, room, receives={**person["receives"], "audio": "low"})
        # Muted by somebody else: the page says so, and its person may end it here, where everybody may.
        await api.patch_participant(room, person["id"], {"audioMuted": True})
        await words(red, "#error", "has muted you")
        await words(red, "#mute", "Unmute")
        # Where everybody may not, the server says why, and that is enough.
        why = "A host muted you and has to let you speak; raise your hand."
        await red.page.route("**/participants/*", lambda route: route.fulfill(status=403, json={"detail": why}))
        await red.page.click("#mute")
        await words(red, "#error", why)
        assert await red.page.inner_text("#error") == why
        await red.page.unroute("**/participants/*")
        await words(red, "#mute", "Unmute")
        await api.patch_participant(room, person["id"], {"audioMuted": False})
        await words(red, "#error", "unmute yourself")
        await words(red, "#mute", "Unmute")
        # Until he does he is not heard, and nobody is to be told otherwise.
        await until(api, room, audioMuted=True)
        await words(red, "#participants", "muted")
        await red.page.click("#mute")
        await words(red, "#mute", "Mute")


async def test_a_camera_turned_off_is_told_at_once_and_seen_again_turned_on(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        await _until_sends(api, room, {"audio": True, "video": True})
        await red.page.click("#camera")
        await until(api, room, videoMuted=True)
        # By itself the server finds out after five seconds.
        await _until_sends(api, room, {"video": True})
        await words(red, "#camera", "Camera on")
        await red.page.click("#camera")
        await words(red, "#camera", "Camera off")
        await until(api, room, videoMuted=False)
        await _until_sends(api, room, {"audio": True, "video": True})


async def until(api: RoomAPI, room: str, **wanted: Any) -> None:
    """Waits until the server holds these of the only person."""
    deadline = time.monotonic() + 10
    while True:
        [person] = await api.participants(room)
        if all(person[key] == value for key, value in wanted.items()):
            return
        assert time.monotonic() < deadline, f"{wanted} was to come; there is { {key: person[key] for key in wanted} }"
        await asyncio.sleep(0.1)


async def words(page: ChromiumPage, element: str, wanted: str) -> None:
    """Waits until an element of the page says something."""
    deadline = time.monotonic() + 10
    while wanted not in (said := await page.page.inner_text(element)):
        assert time.monotonic() < deadline, f"{element} was to say '{wanted}', and says '{said}'"
        await asyncio.sleep(0.1)


async def test_a_layout_is_chosen_for_one_output(server: Server, room: str) -> None:
    outputs = [{"name": name, "width": width, "height": height, "fps": 15, "bitrate": 300_000}
               for name, width, height in [("main", 640, 360), ("tall", 180, 320)]]
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"outputs": outputs})
        await red.join("Red", room)
        await red.page.select_option("#layout-of", "tall")
        await pressed(red, "false")
        await red.page.click("[data-layout=grid]")
        await pressed(red, "true")
        assert [output.get("layout") for output in (await api.get(f"/v1/rooms/{room}"))["outputs"]] == [None, "grid"]
        # Once more, and the output shows what the room shows.
        await red.page.click("[data-layout=grid]")
        await pressed(red, "false")
        assert [output.get("layout") for output in (await api.get(f"/v1/rooms/{room}"))["outputs"]] == [None, None]
        assert (await red.page.get_attribute("#edit-layouts", "href")) == "/layouts?layout=grid"


async def pressed(page: ChromiumPage, wanted: str) -> None:
    """Waits until the layout `grid` is shown as chosen, or not."""
    await page.page.wait_for_selector(f"[data-layout=grid][aria-pressed={wanted}]", timeout=10_000)


async def test_ones_own_image_and_whether_one_sees_oneself(server: Server, room: str, tmp_path: Path) -> None:
    image = tmp_path / "ada.bmp"
    # Of a kind and a size that the server does not take as it is.
    Image.new("RGB", (1500, 900), (240, 200, 20)).save(image)
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        assert await red.page.is_hidden("#avatar-shown")
        async with red.page.expect_file_chooser() as chosen:
            await red.page.click("#avatar-choose")
        await (await chosen.value).set_files(image)
        await red.page.wait_for_selector("#avatar-shown", state="visible", timeout=10_000)
        [person] = await api.participants(room)
        assert person["avatar"]
        await red.page.click("#camera")
        deadline = time.monotonic() + 15
        while not is_yellow(centre := await middle(red)):
            assert time.monotonic() < deadline, f"the image was to be seen; there is {centre}"
            await asyncio.sleep(0.2)
        await red.page.click("#avatar-remove")
        await until(api, room, avatar=None)
        await red.page.wait_for_selector("#avatar-shown", state="hidden", timeout=10_000)
        await red.page.select_option("#self-select", "false")
        await until(api, room, receives={**person["receives"], "self": False})
        await red.page.select_option("#self-select", "null")
        await until(api, room, receives={**person["receives"], "self": None})
        # What somebody else changes is shown.
        await api.patch_participant(room, person["id"], {"self": True})
        deadline = time.monotonic() + 10
        while await red.page.input_value("#self-select") != "true":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


async def middle(page: ChromiumPage) -> list[int]:
    picture = await page.picture()
    return [int(part) for part in picture[picture.shape[0] // 2, picture.shape[1] // 2]]


def is_yellow(colour: list[int]) -> bool:
    return colour[0] > 180 and colour[1] > 140 and colour[2] < 110


#: A camera that can be taken away, and one that takes its time.
FICKLE_CAMERA = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.opened = [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    if (wanted.video && window.noCamera) throw new DOMException("none", "NotFoundError");
    if (window.patience) await window.patience;
    const stream = await open(wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
}"""


async def _until_sends(api: RoomAPI, room: str, sends: dict[str, bool]) -> None:
    """The one who is in the room sends these."""
    deadline = time.monotonic() + 15
    while [{kind: each["sends"][kind] for kind in sends} for each in await api.participants(room)] != [sends]:
        assert time.monotonic() < deadline, await api.participants(room)
        await asyncio.sleep(0.1)


async def test_who_turns_a_camera_on_later_is_in_the_room_once(server: Server, room: str) -> None:
    script = f"({FICKLE_CAMERA})(); window.noCamera = true;"
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED), script=script) as red:
        # No picture is waited for: there is nobody to be seen.
        await red.call("join", "Red", room)
        await words(red, "#status", "Connected")
        # A page is connected some milliseconds before the server has its end of it in the list.
        await _until_sends(api, room, {"audio": True, "video": False})
        await red.page.evaluate("() => { window.noCamera = false }")
        await red.page.click("#camera")
        await _until_sends(api, room, {"audio": True, "video": True})
        await words(red, "#status", "Connected")
        assert await red.page.locator("#participants li").count() == 1


async def test_a_camera_is_let_go_that_opens_for_one_who_left(server: Server, room: str) -> None:
    async with chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        await red.page.evaluate(FICKLE_CAMERA)
        await red.page.click("#camera")
        await words(red, "#camera", "Camera on")
        await red.page.evaluate("() => { window.patience = new Promise((done) => { window.hurry = done }) }")
        await red.page.click("#camera")
        await red.page.click("#leave")
        await red.page.evaluate("() => window.hurry()")
        await red.page.wait_for_function("() => window.opened.length > 0", timeout=10_000)
        await red.page.wait_for_function("() => window.opened.every((track) => track.readyState === 'ended')", timeout=10_000)


async def test_events_are_followed_after_the_room_could_not_be_read(
    start_server: Callable[..., Server], tmp_path: Path, room: str
) -> None:
    for name in ("grid", "other"):
        (tmp_path / f"{name}.json").write_text('{ variants: [{ grid: { columns: 1, rows: 1 } }] }')
    server = start_server(layouts=tmp_path)
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        await words(red, "#participants", "Red")
        [person] = await api.participants(room)
        await red.page.route(f"**/v1/rooms/{room}", lambda route: route.fulfill(status=503))
        async with red.page.expect_response(f"**/v1/rooms/{room}"):
            await api.patch_room(room, {"layout": "other"})
        await red.page.unroute(f"**/v1/rooms/{room}")
        await api.patch_participant(room, person["id"], {"name": "Scarlet"})
        await words(red, "#participants", "Scarlet")


async def test_a_host_pins_people_to_places(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, red_and_blue(server.url, room) as (red, blue):
        entry = red.page.locator("#participants li", has_text="Blue")
        await entry.locator("summary").click()
        await entry.locator("select").select_option("0")
        deadline = time.monotonic() + 10
        while [(person["name"], person["pin"], person["slot"]) for person in await api.participants(room)] != [
            ("Red", None, 1), ("Blue", 0, 0)]:
            assert time.monotonic() < deadline, await api.participants(room)
            await asyncio.sleep(0.1)
        # Told by others, the choice follows.
        [_, other] = await api.participants(room)
        await api.patch_participant(room, other["id"], {"slot": None})
        entry = red.page.locator("#participants li", has_text="Blue")
        deadline = time.monotonic() + 10
        while await entry.locator("select").input_value() != "null":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


async def test_who_waits_is_not_shown_what_hosts_do(server: Server, room: str) -> None:
    async with (
        RoomAPI(server.url) as api,
        chromium(server.url + "/", VOICES[0], plain(RED)) as red,
        chromium(server.url + "/", VOICES[2], plain(RED)) as guest,
    ):
        await api.put_room(room, {"admission": {"lobby": True}})
        # The first to come finds nobody who could let him in, and does it himself.
        await red.join("Red", room)
        await words(red, "#alone", "once you are let in")
        assert await red.page.is_hidden("#people-count")
        await red.page.click("#waiting button:has-text('Admit')")
        await words(red, "#alone", "Nobody else is here yet")
        await words(red, "#participants", "Red")
        await guest.call("join", "Guest", room)
        await words(guest, "#status", "In the lobby")
        await words(guest, "#participants", "Red")
        await words(red, "#error", "Guest waits in the lobby")
        for element in ("#lead", "#layout-card", "#participants summary"):
            assert await guest.page.locator(element).is_hidden(), element
        await red.page.click("#waiting button:has-text('Admit')")
        await words(guest, "#participants", "Guest")
        for element in ("#lead", "#layout-card", "#participants summary"):
            assert await guest.page.locator(element).is_visible(), element
        assert await red.page.is_hidden("#error"), "nobody waits any more"
        await guest.page.click("#hand")
        await words(red, "#error", "Guest raised a hand")
        other = Peer()
        await other.join(api, room, query={"name": "Blue"})
        await words(red, "#error", "Blue waits in the lobby")
        await red.page.click("#waiting button:has-text('Admit')")
        await words(red, "#participants", "Blue")
        await api.patch_participant(room, other.session.participant, {"handRaised": True})
        await words(red, "#error", "Guest and Blue raised a hand.")
        await other.leave(api)
        await words(red, "#error", "Guest raised a hand.")
        await guest.page.click("#hand")
        await red.page.wait_for_selector("#error", state="hidden", timeout=10_000)


async def test_who_is_kept_from_seeing_who_is_there_is_not_told_that_nobody_is(server: Server, room: str) -> None:
    claims = base64.urlsafe_b64encode(b'{"role": "panelist"}').decode().rstrip("=")
    async with RoomAPI(server.url) as api:
        await api.put_room(room, {"admission": {"lobby": True}})
        async with chromium(f"{server.url}/?room={room}#token=head.{claims}.signature", VOICES[0], plain(RED)) as red:
            await words(red, "#presence", "This room has a lobby: a host will let you in.")


async def test_a_room_that_does_not_exist_yet_puts_nothing_on_the_console(server: Server, room: str) -> None:
    async with chromium(f"{server.url}/?room={room}", VOICES[0], plain(RED)) as red:
        await words(red, "#presence", "Nobody is in this room yet")
        await red.join("Red", room)
        async with red.page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
            await red.page.click("#leave")
        assert (await deleted.value).ok and red.said == []
