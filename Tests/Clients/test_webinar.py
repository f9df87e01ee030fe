"""What a host does with an audience, on the page: the lobby, raised hands, the stage; and a server that dies."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chromium_page import chromium
from colours import RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from server import Server
from test_page_controls import words
from tones import VOICES


async def until(wanted: str, fact: Callable[[], Awaitable[Any]]) -> Any:
    """Waits until something is so, and gives it."""
    deadline = time.monotonic() + 20
    while not (found := await fact()):
        assert time.monotonic() < deadline, f"{wanted} was to come"
        await asyncio.sleep(0.1)
    return found


async def test_a_viewer_comes_through_the_lobby_and_onto_the_stage_over_one_connection(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"admission": {"lobby": True}})
        await red.page.select_option("#source", "none")
        joining = asyncio.create_task(red.join("Red", room))
        path = f"/v1/rooms/{room}"
        [person] = await until("somebody in the lobby", lambda: waiting(api, path))
        assert person["role"] == "viewer" and not person["admitted"]
        await words(red, "#status", "lobby")
        await api.patch_participant(room, person["id"], {"admitted": True})
        await joining
        await words(red, "#status", "Connected")
        await red.page.keyboard.press("h")
        await until("a raised hand", lambda: holds(api, path, person["id"], "handRaised"))
        await words(red, "#hand", "Lower hand")
        await api.patch_participant(room, person["id"], {"role": "panelist"})
        await words(red, "#error", "You are on the stage")
        promoted = await api.get(f"{path}/participants/{person['id']}")
        assert promoted["sends"]["video"] and not promoted["handRaised"] and promoted["audioMuted"]
        await words(red, "#hand", "Raise hand")
        await red.page.click("#camera")

        async def is_seen() -> bool:
            snapshot = await api.snapshot(room)
            places = await tiles(api, room, snapshot.shape[1], snapshot.shape[0])
            return "Red" in places and alike(colour_at(snapshot, places["Red"]), RED)

        await until("Red's camera", is_seen)
        await red.page.click("#mute")
        await until("Red's voice", lambda: holds(api, path, person["id"], "speaking"))
        await api.patch_participant(room, person["id"], {"role": "viewer"})
        await words(red, "#error", "You are in the audience")
        assert [each["id"] for each in await api.participants(room)] == [person["id"]], "it is the session he came with"


#: Keeps what the page opens and connects by, to be looked at.
WATCHED = """
  window.opened = [];
  window.connections = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
  const Connection = RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(settings) {
      super(settings);
      window.connections.push(this);
    }
  };
"""
SENT = "window.connections.at(-1).getSenders().filter(({ track }) => track?.readyState === 'live').map(({ track }) => track.kind)"
IN_USE = "window.opened.filter((track) => track.readyState === 'live').map(({ kind }) => kind)"


@pytest.mark.parametrize("told_by", ["token", "server"])
async def test_a_viewer_who_chose_a_camera_is_not_filmed_before_he_is_on_the_stage(server: Server, room: str, told_by: str) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "red", "room": room, "role": "viewer"}).encode()).decode().rstrip("=")
    # A server without keys takes nothing from a token, but the page does.
    address = server.url + "/" + (f"#token=head.{claims}.signature" if told_by == "token" else "")
    async with RoomAPI(server.url) as api, chromium(address, VOICES[0], plain(RED), script=WATCHED) as red:
        if told_by == "server":
            await red.page.route("**/participants?*", lambda route: route.continue_(url=route.request.url + "&role=viewer"))
        await red.join("Red", room)
        await words(red, "#error", "You are in the audience")
        await red.page.wait_for_function(f"() => !{SENT}.length && !{IN_USE}.length", timeout=10_000)
        # By a token that the server does not read it cannot name him, and counts him with all who only watch.
        await words(red, "#participants", "watching" if told_by == "server" else "One who watches")
        assert await red.page.is_disabled("#mute") and await red.page.inner_text("#mute") == "Unmute", "he may have a microphone"
        if told_by == "token":
            assert await red.page.evaluate("window.opened.length") == 0
        [person] = await api.participants(room)
        await api.patch_participant(room, person["id"], {"role": "panelist"})
        await words(red, "#error", "You are on the stage")
        # He is neither seen nor heard until he wants to be.
        assert await red.page.evaluate(SENT) == ["audio"] and await red.page.inner_text("#mute") == "Unmute"
        await red.page.click("#camera")
        await red.page.wait_for_function(f"() => {SENT}.length === 2", timeout=10_000)

        async def sends_both() -> bool:
            [each] = await api.participants(room)
            return each["id"] == person["id"] and each["sends"]["audio"] and each["sends"]["video"]

        await until("his sound and picture", sends_both)
        await api.patch_participant(room, person["id"], {"role": "viewer"})
        await red.page.wait_for_function(f"() => !{SENT}.length && !{IN_USE}.length", timeout=10_000)


async def waiting(api: RoomAPI, path: str) -> list[dict[str, Any]]:
    return (await api.get(path))["waiting"]


async def holds(api: RoomAPI, path: str, participant: str, key: str) -> bool:
    return (await api.get(f"{path}/participants/{participant}"))[key]


async def test_the_page_comes_back_by_itself_when_the_server_was_killed(start_server: Callable[..., Server], room: str) -> None:
    server = start_server()
    async with chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        began = time.monotonic()
        server.kill()
        await words(red, "#status", "does not answer")
        assert time.monotonic() - began < 5, "the page is to notice within a few seconds"
        server.start_again()
        async with RoomAPI(server.url) as api:
            await until("Red", lambda: comes_back(api, room))
        await words(red, "#status", "Connected")


async def test_the_page_waits_for_its_room_when_that_is_made_anew_after_a_restart(start_server: Callable[..., Server], room: str) -> None:
    server = start_server("{rooms: {autoCreate: false}}")
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await api.put_room(room, {"layout": "grid"})
        await red.join("Red", room)
        server.kill()
        server.start_again()
        await words(red, "#status", "The room is not open.")
        await api.put_room(room, {"layout": "grid"})
        await until("Red", lambda: comes_back(api, room))
        await words(red, "#status", "Connected")


async def comes_back(api: RoomAPI, room: str) -> bool:
    try:
        return bool(await api.participants(room))
    except Exception:  # There is no room before he is in it.
        return False


async def test_a_viewer_who_chose_a_screen_is_heard_on_the_stage_and_shows_it_when_he_presses(server: Server, room: str) -> None:
    """Unasked, browsers let nobody choose a screen; and who shows none is not to have the place of one."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "red", "room": room, "role": "viewer"}).encode()).decode().rstrip("=")
    async with RoomAPI(server.url) as api, chromium(f"{server.url}/#token=head.{claims}.signature", VOICES[0], plain(RED), script=WATCHED) as red:
        await red.page.select_option("#source", "screen")
        await red.join("Red", room)
        [person] = await api.participants(room)

        async def sends(content: str, *, picture: bool) -> bool:
            [each] = await api.participants(room)
            return (each["sends"]["content"], each["sends"]["video"] and not each["videoMuted"]) == (content, picture)

        assert await sends("main", picture=False)
        await api.patch_participant(room, person["id"], {"role": "panelist"})
        await words(red, "#error", "“Screen on”")
        await words(red, "#mute", "Unmute")
        await red.page.click("#mute")
        await until("his voice", lambda: holds(api, f"/v1/rooms/{room}", person["id"], "speaking"))
        assert await red.page.evaluate(SENT) == ["audio"]
        await until("that he has no picture", lambda: sends("main", picture=False))
        await words(red, "#camera", "Screen on")
        await red.page.click("#camera")
        await words(red, "#camera", "Screen off")
        await until("his screen", lambda: sends("slides", picture=True))
        await red.page.click("#camera")
        await until("no screen any more", lambda: sends("main", picture=False))
