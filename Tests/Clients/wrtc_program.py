"""A participant on libwebrtc; `subprocess_peer.py` says how it is talked to."""

import asyncio
import base64
import json
import sys
from typing import Any

import numpy

from colours import plain
from python_peer import Peer
from tracks import colour_track, tone_track


def say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


async def heard() -> dict[str, Any] | None:
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return json.loads(line) if line else None


async def main(voice: float, colour: tuple[int, ...]) -> None:
    peer = Peer(tone_track(voice), colour_track(plain(colour)))
    say({"offer": await peer.offer()})
    while (message := await heard()) is not None:
        if "answer" in message:
            await peer.answer(message["answer"])
            await peer.connected()
            say({"connected": True})
        elif "listen" in message:
            await peer.hears(message["listen"])
            sound = numpy.rint(peer.received_sound() * 32767).astype(numpy.int16)
            picture = peer.received_picture() if peer.picture else numpy.zeros((0, 0, 3), numpy.uint8)
            say({"sound": base64.b64encode(sound.tobytes()).decode(),
                 "picture": base64.b64encode(picture.tobytes()).decode(),
                 "width": picture.shape[1], "height": picture.shape[0]})
    await peer.close()


asyncio.run(main(float(sys.argv[1]), tuple(map(int, sys.argv[2:5]))))
