"""A page whose only way is through a TURN server, with credentials the server made for it."""

import asyncio
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium_page import chromium
from colours import RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from server import Server, free_port
from tones import VOICES

SECRET = "shared with the relay"


@contextmanager
def relay(secret: str) -> Iterator[int]:
    """Debian's coturn on loopback; gives its port."""
    binary = shutil.which("turnserver")
    assert binary is not None, "turnserver is missing: install the Debian packages of Tests/Clients/packages.txt."
    port = free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory(prefix="tutti-turn-") as directory:
        log = Path(directory, "log")
        with log.open("wb") as output:
            process = subprocess.Popen([
                binary, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}",
                "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=tutti", "--allow-loopback-peers", "--no-tls",
                "--no-dtls", "--no-cli", "--log-file=stdout", "--simple-log", f"--userdb={directory}/db",
                f"--pidfile={directory}/pid"], cwd=directory, stdout=output, stderr=output)
        try:
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


async def test_a_page_comes_in_through_a_relay_alone(start_server: Callable[..., Server], room: str) -> None:
    with relay(SECRET) as port:
        server = start_server(
            f"{{ iceServers: [{{ urls: ['turn:127.0.0.1:{port}?transport=udp'], secret: '{SECRET}', ttlSeconds: 600 }}] }}")
        async with (
            RoomAPI(server.url) as api,
            chromium(server.url + "/", VOICES[0], plain(RED), relay_only=True) as red,
        ):
            await red.join("Red", room)
            picture = await red.picture()
            places = await tiles(api, room, picture.shape[1], picture.shape[0])
            assert alike(colour_at(picture, places["Red"]), RED), f"Red's tile is {colour_at(picture, places['Red'])}"
            kinds: list[str] = []
            for _ in range(20):
                kinds = await red.page.evaluate(SELECTED)
                if kinds:
                    break
                await asyncio.sleep(0.5)
            assert kinds and set(kinds) == {"relay"}, f"The page sends from {kinds}"


#: Kinds of the local candidates of the pairs that media takes.
SELECTED = """async () => {
  const report = await window.connections.at(-1).getStats();
  const pairs = [...report.values()].filter((each) => each.type === "candidate-pair" && each.nominated && each.state === "succeeded");
  return pairs.map((pair) => report.get(pair.localCandidateId)?.candidateType);
}"""
