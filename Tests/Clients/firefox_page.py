"""Debian's Firefox ESR, driven by WebDriver BiDi without further programs."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bidi import BiDi
from browser_page import PROBE, BrowserPage
from colours import Colour
from sound_card import silent_sound_card

PREFERENCES: dict[str, Any] = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}

#: Firefox's fake camera changes its colour; a canvas and an oscillator stand in for it and for the microphone.
DEVICES = """() => {
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const tracks = [];
    if (wanted.video) {
      const canvas = document.createElement("canvas");
      canvas.width = 640;
      canvas.height = 360;
      const pen = canvas.getContext("2d");
      const paint = () => { pen.fillStyle = "rgb(COLOUR)"; pen.fillRect(0, 0, 640, 360); };
      paint();
      setInterval(paint, 33);
      tracks.push(...canvas.captureStream(30).getVideoTracks());
    }
    if (wanted.audio) {
      const context = new AudioContext({ sampleRate: 48000 });
      const voice = new OscillatorNode(context, { frequency: VOICE });
      const quieter = new GainNode(context, { gain: 0.2 });
      const microphone = context.createMediaStreamDestination();
      microphone.channelCount = 1;
      voice.connect(quieter).connect(microphone);
      voice.start();
      tracks.push(...microphone.stream.getAudioTracks());
    }
    return new MediaStream(tracks);
  };
}"""


class FirefoxPage(BrowserPage):
    def __init__(self, session: BiDi) -> None:
        self.session = session

    async def call(self, function: str, *arguments: Any) -> Any:
        return await self.session.call(f"(...given) => ({PROBE}).{function}(...given)", *arguments)


async def _remote_address(said: asyncio.StreamReader) -> str:
    lines = []
    while line := (await said.readline()).decode(errors="replace"):
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            return found[1]
        lines.append(line)
    raise AssertionError(f"Firefox ended without opening its remote control: {''.join(lines)}")


async def _discard(said: asyncio.StreamReader) -> None:
    while await said.read(65_536):
        pass


@asynccontextmanager
async def _running(binary: str, profile: str, environment: dict[str, str]) -> AsyncIterator[str]:
    """The browser's process; gives the address of its remote control."""
    process = await asyncio.create_subprocess_exec(
        binary, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0",
        env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        address = await asyncio.wait_for(_remote_address(process.stderr), 40)
        discarding = asyncio.ensure_future(_discard(process.stderr))
        yield address
        discarding.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def firefox(url: str, voice: float, colour: Colour) -> AsyncIterator[FirefoxPage]:
    """A browser that shows the page at an address and whose devices give this tone and this colour."""
    binary = shutil.which("firefox-esr")
    assert binary is not None, "Firefox ESR is missing: install the Debian packages of Tests/Clients/packages.txt."
    with tempfile.TemporaryDirectory(prefix="tutti-firefox-", ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text(
            "".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in PREFERENCES.items()))
        async with silent_sound_card(profile) as environment, _running(binary, profile, environment) as address:
            async with BiDi(address) as session:
                devices = DEVICES.replace("COLOUR", ",".join(map(str, colour))).replace("VOICE", str(voice))
                await session.command("script.addPreloadScript", functionDeclaration=devices)
                await session.command("browsingContext.navigate", context=session.context, url=url, wait="complete")
                yield FirefoxPage(session)
