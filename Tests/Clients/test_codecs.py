"""Chromium with codecs that it would not choose by itself."""

import asyncio
import time

import pytest

from chromium_page import chromium, red_and_blue
from colours import BLUE, RED, alike, plain
from http_api import RoomAPI
from layout import Rectangle, tiles
from pictures import colour_at
from server import Server
from tones import VOICES

#: Offers these codecs of pictures only, and sends the first of them that the answer takes.
ONLY = """
  const wanted = %s;
  const describe = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = function (...given) {
    const known = RTCRtpReceiver.getCapabilities("video").codecs;
    const named = (name) => known.filter((each) => each.mimeType === `video/${name}`);
    for (const each of this.getTransceivers()) {
      if (each.receiver.track.kind === "video") each.setCodecPreferences([...wanted.flatMap(named), ...named("rtx")]);
    }
    return describe.apply(this, given);
  };
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const first = sdp.match(new RegExp(`^a=rtpmap:(\\\\d+) ${wanted[0]}/`, "mi"))?.[1];
    const order = (line, kept, types) => kept + [first, ...types.trim().split(" ").filter((each) => each !== first)].join(" ");
    return apply.call(this, { type, sdp: first ? sdp.replace(/^(m=video \\d+ \\S+ )(.*)$/m, order) : sdp });
  };
"""


@pytest.mark.parametrize("codecs", [("VP9",), ("AV1", "VP8")], ids=lambda codecs: codecs[0])
async def test_a_page_that_knows_little_is_seen_and_sees(server: Server, room: str, codecs: tuple[str, ...]) -> None:
    async with RoomAPI(server.url) as api, red_and_blue(server.url, room, red_script=ONLY % list(codecs)) as (red, blue):
        await asyncio.sleep(3)
        for window, picture in (("Red's", await red.picture()), ("Blue's", await blue.picture())):
            places = await tiles(api, room, picture.shape[1], picture.shape[0])
            # Debian's Chromium takes H.264 and sends none.
            for name, colour in (("Blue", BLUE),) if codecs == ("H264",) else (("Red", RED), ("Blue", BLUE)):
                assert alike(colour_at(picture, places[name]), colour), f"{name} in {window} window: {colour_at(picture, places[name])}"
        figures = await red.page.inner_text("#statistics")
        assert codecs[0] in figures, f"The page's figures are {figures}"


#: Sends pictures in these layers, and tells in the packets what they build on.
LAYERS = """
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (what, init = {}) {
    const isPicture = what === "video" || what?.kind === "video";
    const transceiver = add.call(this, what, isPicture ? { ...init, sendEncodings: [{ scalabilityMode: "%s" }] } : init);
    if (!isPicture || !transceiver.setHeaderExtensionsToNegotiate) return transceiver;
    const extensions = transceiver.getHeaderExtensionsToNegotiate();
    for (const each of extensions) if (each.uri.includes("dependency-descriptor")) each.direction = "sendrecv";
    transceiver.setHeaderExtensionsToNegotiate(extensions);
    return transceiver;
  };
"""


@pytest.mark.parametrize(("codec", "mode"), [("VP9", "L3T3"), ("VP9", "L3T3_KEY"), ("AV1", "L3T3"), ("AV1", "L3T3_KEY")])
async def test_of_a_layered_picture_only_what_the_tile_needs_is_decoded(server: Server, room: str, codec: str, mode: str) -> None:
    async with (
        RoomAPI(server.url) as api,
        chromium(server.url + "/", VOICES[0], plain(RED, 1280, 720), script=ONLY % [codec, "VP8"] + LAYERS % mode) as red,
    ):
        await red.join("Red", room)
        decoded = None
        for width, height in ((320, 180), (640, 360), (1280, 720), (320, 180)):
            output = {"name": "main", "width": width, "height": height, "fps": 30, "bitrate": 1_000_000}
            await api.patch_room(room, {"outputs": [output]})
            deadline = time.monotonic() + 15
            while decoded != (width, height):
                assert time.monotonic() < deadline, f"{decoded} is decoded for a tile of {width}x{height}"
                await asyncio.sleep(0.3)
                [person] = await api.participants(room)
                decoded = (person["stats"].get("videoWidth"), person["stats"].get("videoHeight"))
        await asyncio.sleep(1)
        picture = await red.picture()
        assert alike(colour_at(picture, Rectangle(0, 0, picture.shape[1], picture.shape[0])), RED)
        assert person["stats"]["videoFramesFailed"] == 0
