"""Debian's Chromium, driven by Playwright."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy
from playwright.async_api import Page, async_playwright

from browser_page import PROBE, BrowserPage
from colours import BLUE, RED, plain
from device_files import write_camera, write_microphone
from tones import VOICES

#: The microphone's tone reaches the encoder as it is: noise suppression would take a steady tone away.
UNPROCESSED = """
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => original(
    wanted?.audio
      ? { ...wanted, audio: { ...(wanted.audio === true ? {} : wanted.audio),
                              echoCancellation: false, noiseSuppression: false, autoGainControl: false } }
      : wanted);
"""

#: As behind a firewall that lets no UDP out: the page is not told of the server's UDP address.
TCP_ONLY = """
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    return apply.call(this, { type: description.type, sdp: description.sdp.replace(/^a=candidate:.* udp .*\\r\\n/gim, "") });
  };
"""


#: As behind a firewall that lets nothing out but to the TURN server; what it connects by is kept to be looked at.
RELAY_ONLY = """
  const Connection = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Connection {
    constructor(settings) {
      super({ ...settings, iceTransportPolicy: "relay" });
      window.connections.push(this);
    }
  };
"""


class ChromiumPage(BrowserPage):
    def __init__(self, page: Page, said: list[str]) -> None:
        self.page, self.said = page, said

    async def call(self, function: str, *arguments: Any) -> Any:
        try:
            return await self.page.evaluate(f"(given) => ({PROBE}).{function}(...given)", list(arguments))
        except Exception as error:
            raise AssertionError(f"Chromium: {error}; its console: {self.said}") from error


@asynccontextmanager
async def chromium(
    url: str, voice: float, picture: numpy.ndarray, *, tcp_only: bool = False, relay_only: bool = False, script: str = ""
) -> AsyncIterator[ChromiumPage]:
    """A browser that shows the page at an address and whose devices give this tone and this picture; a script comes before the page's own."""
    binary = shutil.which("chromium")
    assert binary is not None, "Chromium is missing: install the Debian packages of Tests/Clients/packages.txt."
    with tempfile.TemporaryDirectory(prefix="tutti-chromium-") as directory:
        camera, microphone = Path(directory, "camera.y4m"), Path(directory, "microphone.wav")
        write_camera(camera, picture)
        write_microphone(microphone, voice)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=binary, args=[
                "--headless=new", "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}",
                "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns"])
            page = await browser.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            await page.add_init_script(UNPROCESSED)
            if tcp_only:
                await page.add_init_script(TCP_ONLY)
            if relay_only:
                await page.add_init_script(RELAY_ONLY)
            if script:
                await page.add_init_script(script)
            await page.goto(url)
            try:
                yield ChromiumPage(page, said)
            finally:
                await browser.close()


@asynccontextmanager
async def red_and_blue(url: str, room: str, *, red_script: str = "") -> AsyncIterator[tuple[ChromiumPage, ChromiumPage]]:
    """Two browsers in a room, people by the names of their pictures' colours; Red has the first voice, Blue the third."""
    async with (
        chromium(url + "/", VOICES[0], plain(RED), script=red_script) as red,
        chromium(url + "/", VOICES[2], plain(BLUE)) as blue,
    ):
        await red.join("Red", room)
        await blue.join("Blue", room)
        yield red, blue
