"""FFmpeg as a WHIP publisher: H.264 and Opus, from the program in the imageio-ffmpeg wheel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import imageio_ffmpeg

from colours import Colour


@asynccontextmanager
async def publishing(url: str, voice: float, colour: Colour, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Publishes a tone and a plain picture to a WHIP address until left; fails if FFmpeg gave up before."""
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "warning",
        "-re", "-f", "lavfi", "-i", "color=0x%02x%02x%02x:size=640x360:rate=30" % colour,
        "-re", "-f", "lavfi", "-i", f"sine=frequency={voice}:sample_rate=48000,volume=4dB",
        "-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
        "-g", "30", "-b:v", "1M", "-c:a", "libopus", "-ac", "2", "-b:a", "64k", "-f", "whip", *options, url,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    said = asyncio.ensure_future(process.stderr.read())
    try:
        yield process
        assert process.returncode is None, f"FFmpeg ended with {process.returncode}: {(await said).decode(errors='replace')}"
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        await said
