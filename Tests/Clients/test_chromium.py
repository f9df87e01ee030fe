"""Two Chromium windows on the product's own page."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from chromium_page import chromium, red_and_blue
from colours import BLUE, RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server, own_address
from tones import VOICES, expect_minus_one


async def test_two_pages_see_both_and_hear_each_other(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, red_and_blue(server.url, room) as (red, blue):
        await asyncio.sleep(2)
        heard_by_red, heard_by_blue = await asyncio.gather(red.sound(4), blue.sound(4))
        expect_minus_one(heard_by_red, VOICES[0], [VOICES[2]], "Red")
        expect_minus_one(heard_by_blue, VOICES[2], [VOICES[0]], "Blue")
        snapshot = await api.snapshot(room)
        places = await tiles(api, room, snapshot.shape[1], snapshot.shape[0])
        for window, picture in (("Red's", await red.picture()), ("Blue's", await blue.picture())):
            seen = await tiles(api, room, picture.shape[1], picture.shape[0])
            for name, colour in (("Red", RED), ("Blue", BLUE)):
                assert alike(colour_at(snapshot, places[name]), colour), f"{name} in the snapshot"
                assert alike(colour_at(picture, seen[name]), colour), f"{name} in {window} window: {colour_at(picture, seen[name])}"


async def test_a_page_without_udp_comes_in_over_tcp(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED), tcp_only=True) as red:
        await red.join("Red", room)
        picture = await red.picture()
        places = await tiles(api, room, picture.shape[1], picture.shape[0])
        assert alike(colour_at(picture, places["Red"]), RED), f"Red's tile is {colour_at(picture, places['Red'])}"
        for _ in range(20):
            figures = await red.page.inner_text("#statistics")
            if "Transport" in figures:
                break
            await asyncio.sleep(0.5)
        assert "TCP" in figures, f"The page's figures are {figures}"


async def test_a_page_comes_in_over_ipv6(start_server: Callable[..., Server], room: str) -> None:
    try:
        host = own_address(socket.AF_INET6)
    except AssertionError:
        pytest.skip("This machine has no IPv6 address.")
    server = start_server(media_host=host)
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        picture = await red.picture()
        places = await tiles(api, room, picture.shape[1], picture.shape[0])
        assert alike(colour_at(picture, places["Red"]), RED), f"Red's tile is {colour_at(picture, places['Red'])}"


#: Publishes three layers of the camera by WHIP and answers with the session's address.
SIMULCAST = """async (address) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 } });
  const connection = new RTCPeerConnection();
  connection.addTransceiver(stream.getVideoTracks()[0], { direction: "sendonly", streams: [stream], sendEncodings: [
    { rid: "q", scaleResolutionDownBy: 4 }, { rid: "h", scaleResolutionDownBy: 2 }, { rid: "f", scaleResolutionDownBy: 1 }] });
  await connection.setLocalDescription();
  const response = await fetch(address, {
    method: "POST", headers: { "Content-Type": "application/sdp" }, body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
  window.publishing = connection;
  return response.headers.get("Location");
}"""


#: Widths of the layers that are sent: for a small camera Chromium leaves the largest of three out.
SENT = """async () => [...(await publishing.getStats()).values()]
  .filter((each) => each.type === "outbound-rtp").map((each) => each.frameWidth ?? 0)"""


async def test_the_largest_simulcast_layer_is_shown(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        # What nobody sees is not decoded.
        viewer = Peer()
        await viewer.join(api, room, "whep")
        location = await red.page.evaluate(SIMULCAST, f"{server.url}/rooms/{room}/whip?name=Red")
        assert location.startswith(f"/rooms/{room}/participants/")
        shown, sent = 0, []
        for _ in range(40):
            await asyncio.sleep(0.5)
            sent = [width for width in await red.page.evaluate(SENT) if width]
            people = [each for each in await api.participants(room) if each["name"] == "Red"]
            shown = people[0]["stats"].get("videoWidth", 0) if people else 0
            if len(sent) > 1 and shown == max(sent):
                break
        await viewer.close()
        assert len(sent) > 1 and shown == max(sent), f"Of layers {sent} pixels wide the one of {shown} is decoded after 20 s"


async def test_who_is_taken_out_is_told_and_stays_out(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED)) as red:
        await red.join("Red", room)
        [person] = await api.participants(room)
        await api._request("DELETE", f"/v1/rooms/{room}/participants/{person['id']}", {200, 204})
        await asyncio.sleep(3)
        assert "removed" in await red.page.inner_text("#error")
        assert await api.participants(room) == []
