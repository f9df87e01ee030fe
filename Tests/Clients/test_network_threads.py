"""Several network threads behind one port: whichever reads a packet, the thread of its peer gets it."""

from collections.abc import Callable

from chromium_page import chromium
from colours import BLUE, RED, alike, plain
from http_api import RoomAPI
from layout import tiles
from pictures import colour_at
from python_peer import Peer
from server import Server
from test_load_generator import load
from tones import VOICES
from tracks import colour_track, tone_track

THREADS = 3


async def test_viewers_are_spread_over_the_threads_and_lose_nothing(start_server: Callable[..., Server], room: str) -> None:
    server = start_server(network_threads=THREADS)
    status, report, told = await load("--url", f"{server.url}/rooms/{room}", "--publishers", "3", "--viewers", "20", "--seconds", "4")
    assert status == 0, told
    assert report["connected"] == report["clients"] == 20
    assert report["lossPercent"] == 0 and report["ended"] == 0
    assert report["picturesPerSecondMin"] > 5 and report["soundsPerSecondMin"] > 20
    async with RoomAPI(server.url) as api:
        metrics = await api.metrics()
    assert metrics["tutti_network_threads"] == THREADS
    # Of 23 clients hardly all are read by the very thread that has them.
    assert metrics["tutti_datagrams_handed_over_total"] > 100


async def test_a_page_on_tcp_gets_to_the_thread_that_has_it(start_server: Callable[..., Server], room: str) -> None:
    server = start_server(network_threads=THREADS)
    async with RoomAPI(server.url) as api, chromium(server.url + "/", VOICES[0], plain(RED), tcp_only=True) as red:
        # The first thread accepts connections and has this one; the page is on another.
        blue = Peer(tone_track(VOICES[2]), colour_track(plain(BLUE)))
        await blue.join(api, room, "participants", {"name": "Blue"})
        await red.join("Red", room)
        picture = await red.picture()
        places = await tiles(api, room, picture.shape[1], picture.shape[0])
        for name, colour in (("Red", RED), ("Blue", BLUE)):
            assert alike(colour_at(picture, places[name]), colour), f"{name}'s tile is {colour_at(picture, places[name])}"
