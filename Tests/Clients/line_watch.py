"""A browser's page that watches a room by WHEP through a line: it reaches the server only by the line's address."""

from chromium_page import ChromiumPage
from slow_line import SlowLine

#: Leaves the connection as `watching`.
_WATCH = """async ([address, host, port, codecs]) => {
  const connection = new RTCPeerConnection();
  connection.addTransceiver("audio", { direction: "recvonly" });
  const video = connection.addTransceiver("video", { direction: "recvonly" });
  if (codecs) {
    const wanted = new RegExp(codecs, "i");
    video.setCodecPreferences(RTCRtpReceiver.getCapabilities("video").codecs.filter((codec) => wanted.test(codec.mimeType)));
  }
  const screen = document.createElement("video");
  screen.autoplay = screen.muted = true;
  document.body.append(screen);
  const stream = new MediaStream();
  connection.ontrack = ({ track }) => { stream.addTrack(track); screen.srcObject = stream; };
  await connection.setLocalDescription();
  const response = await fetch(address, {
    method: "POST", headers: { "Content-Type": "application/sdp" }, body: connection.localDescription.sdp });
  const answer = (await response.text()).split("\\r\\n").filter((line) => !/^a=candidate:.* tcp /i.test(line))
    .map((line) => line.replace(/^(a=candidate:\\S+ \\d+ udp \\d+) \\S+ \\d+/i, `$1 ${host} ${port}`)).join("\\r\\n");
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  window.watching = connection;
}"""


async def watch(page: ChromiumPage, address: str, line: SlowLine, codecs: str = "") -> None:
    """Begins to watch at a WHEP address; `codecs` is a pattern of those it takes, all if empty."""
    host, port = line.address
    await page.page.evaluate(_WATCH, [address, host, port, codecs])
