"""A participant on GStreamer's webrtcbin; `subprocess_peer.py` says how it is talked to."""

import base64
import json
import sys
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SENDING = """
  webrtcbin name=peer bundle-policy=max-bundle latency=60
  audiotestsrc is-live=true freq={voice} volume=0.2 ! audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=64000
    ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
  videotestsrc is-live=true pattern=solid-color foreground-color={colour} ! video/x-raw,width=640,height=360,framerate=15/1
    ! videoconvert ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
"""
HEARING = """queue ! rtpopusdepay ! opusdec plc=true ! audioconvert ! audioresample
  ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! appsink name=sink sync=false emit-signals=true"""
SEEING = """queue ! rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB
  ! appsink name=sink sync=false emit-signals=true drop=true max-buffers=2"""


def say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


class Participant:
    def __init__(self, voice: float, colour: tuple[int, ...]) -> None:
        red, green, blue = colour
        described = SENDING.format(voice=voice, colour=(0xFF << 24) | (red << 16) | (green << 8) | blue)
        self.pipeline = Gst.parse_launch(described)
        self.peer = self.pipeline.get_by_name("peer")
        # libnice ties its sockets to the interface of their address, and leaves the loopback interface out unless told.
        # The agent is kept: Python takes over its floating reference and would end it.
        self.agent = self.peer.get_property("ice-agent")
        self.agent.emit("add-local-ip-address", "127.0.0.1")
        self.sound, self.picture, self.width, self.height = bytearray(), b"", 0, 0
        self.negotiating = False
        self.peer.connect("on-negotiation-needed", self.negotiate)
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        self.peer.connect("notify::connection-state", self.state_changed)
        self.peer.connect("pad-added", self.received)
        self.pipeline.set_state(Gst.State.PLAYING)

    def negotiate(self, *_: object) -> None:
        if not self.negotiating:
            self.negotiating = True
            self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Gst.Promise, *_: object) -> None:
        # The description belongs to the reply: it lives only as long as this variable.
        reply = promise.get_reply()
        self.peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(self, *_: object) -> None:
        if self.peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            description = self.peer.get_property("local-description")
            say({"offer": description.sdp.as_text()})

    def answer(self, text: str) -> None:
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", description, Gst.Promise.new())

    def state_changed(self, *_: object) -> None:
        state = self.peer.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            say({"connected": True})
        elif state == GstWebRTC.WebRTCPeerConnectionState.FAILED:
            say({"failed": True})

    def received(self, _: Gst.Element, pad: Gst.Pad) -> None:
        if pad.direction != Gst.PadDirection.SRC:
            return
        audio = pad.get_current_caps().get_structure(0).get_string("media") == "audio"
        sink = Gst.parse_bin_from_description(HEARING if audio else SEEING, True)
        sink.get_by_name("sink").connect("new-sample", self.heard if audio else self.seen)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def heard(self, sink: Gst.Element) -> Gst.FlowReturn:
        buffer = sink.emit("pull-sample").get_buffer()
        self.sound += buffer.extract_dup(0, buffer.get_size())
        return Gst.FlowReturn.OK

    def seen(self, sink: Gst.Element) -> Gst.FlowReturn:
        sample = sink.emit("pull-sample")
        shape, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
        self.width, self.height = shape.get_value("width"), shape.get_value("height")
        # Rows begin at multiples of four bytes.
        stride, row = buffer.get_size() // self.height, self.width * 3
        pixels = buffer.extract_dup(0, buffer.get_size())
        self.picture = b"".join(pixels[line * stride:line * stride + row] for line in range(self.height))
        return Gst.FlowReturn.OK

    def listen(self, seconds: float) -> None:
        self.sound.clear()
        deadline = time.monotonic() + seconds + 5
        while len(self.sound) < seconds * 96_000 and time.monotonic() < deadline:
            time.sleep(0.05)
        say({"sound": base64.b64encode(bytes(self.sound)).decode(), "picture": base64.b64encode(self.picture).decode(),
             "width": self.width, "height": self.height})


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    participant = Participant(float(sys.argv[1]), tuple(map(int, sys.argv[2:5])))

    def obey() -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "answer" in message:
                participant.answer(message["answer"])
            elif "listen" in message:
                participant.listen(message["listen"])
        loop.quit()

    threading.Thread(target=obey, daemon=True).start()
    loop.run()
    participant.pipeline.set_state(Gst.State.NULL)


main()
