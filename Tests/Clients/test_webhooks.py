"""Another server that is told what happens in the rooms."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable

from aiohttp import web

from http_api import RoomAPI
from server import Server

SECRET = "0123456789abcdef"


async def test_events_come_signed_and_in_order_also_after_a_failure(start_server: Callable[..., Server], room: str) -> None:
    events: list[dict] = []
    failures = 1

    async def hook(request: web.Request) -> web.Response:
        nonlocal failures
        body = await request.read()
        time, signature = (part.partition("=")[2] for part in request.headers["Tutti-Signature"].split(","))
        assert signature == hmac.new(SECRET.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        if failures:
            failures -= 1
            return web.Response(status=503)
        events.append(json.loads(body))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        server = start_server(f"{{ webhooks: [{{ url: 'http://127.0.0.1:{port}/hook', secret: '{SECRET}' }}] }}")
        async with RoomAPI(server.url) as api:
            await api.put_room(room, {})
            await api.put_room(room, {"admission": {"lobby": True}})
            await api.put_room(room, {})
            for _ in range(100):
                if len(events) >= 2:
                    break
                await asyncio.sleep(0.1)
        assert [event["type"] for event in events] == ["room-changed", "room-changed"], events
        assert [event["admission"]["lobby"] for event in events] == [True, False] and events[0]["room"] == room
    finally:
        await runner.cleanup()
