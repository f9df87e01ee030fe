"""Chromium with codecs that it would not choose by itself."""

import asyncio

import pytest

from chromium_page import chromium
from colours import BLUE, RED, alike, plain
from http_api import RoomAPI
from layout import tiles
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
    async with (
        RoomAPI(server.url) as api,
        chromium(server.url + "/", VOICES[0], plain(RED), script=ONLY % list(codecs)) as red,
        chromium(server.url + "/", VOICES[2], plain(BLUE)) as blue,
    ):
        await red.join("Red", room)
        await blue.join("Blue", room)
        await asyncio.sleep(3)
        for window, picture in (("Red's", await red.picture()), ("Blue's", await blue.picture())):
            places = await tiles(api, room, picture.shape[1], picture.shape[0])
            # Debian's Chromium takes H.264 and sends none.
            for name, colour in (("Blue", BLUE),) if codecs == ("H264",) else (("Red", RED), ("Blue", BLUE)):
                assert alike(colour_at(picture, places[name]), colour), f"{name} in {window} window: {colour_at(picture, places[name])}"
        figures = await red.page.inner_text("#statistics")
        assert codecs[0] in figures, f"The page's figures are {figures}"
