"""A sound card that is none: PulseAudio with a sink that swallows what it is given, at the right pace."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def silent_sound_card(directory: str) -> AsyncIterator[dict[str, str]]:
    """Runs the sound server below a directory; gives the environment that leads a program to it.

    Without a sound device Firefox keeps every AudioContext suspended, and its own stand-in device runs slow.
    """
    binary = shutil.which("pulseaudio")
    assert binary is not None, "PulseAudio is missing: install the Debian packages of Tests/Clients/packages.txt."
    socket = Path(directory, "sound")
    process = await asyncio.create_subprocess_exec(
        binary, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
        "-L", "module-null-sink", "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1",
        env=os.environ | {"HOME": directory, "XDG_RUNTIME_DIR": directory},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(10):
            while not socket.exists():
                assert process.returncode is None, f"PulseAudio ended with {process.returncode} at its start."
                await asyncio.sleep(0.05)
        yield os.environ | {"PULSE_SERVER": f"unix:{socket}"}
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
