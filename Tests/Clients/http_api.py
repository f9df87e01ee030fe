"""The server's HTTP contract, as a client sees it."""

import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy
from PIL import Image


class Refused(Exception):
    """An answer other than the one asked for, with the server's problem text."""

    def __init__(self, status: int, text: str, content_type: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status, self.text, self.content_type = status, text, content_type


@dataclass(frozen=True)
class MediaSession:
    """What the server answered to an offer."""

    answer: str
    location: str
    etag: str | None

    @property
    def participant(self) -> str:
        """The participant's id, the last part of the session's address."""
        return self.location.rstrip("/").rpartition("/")[2]


class RoomAPI:
    """One HTTP client of a server; an asynchronous context manager."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> "RoomAPI":
        # No connection is kept open: the server's are counted.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(total=20))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def _request(self, method: str, path: str, expected: set[int], **options: Any) -> tuple[bytes, Any]:
        url = path if path.startswith("http") else self.url + path
        async with self._http.request(method, url, **options) as response:
            body = await response.read()
            if response.status not in expected:
                raise Refused(response.status, body.decode(errors="replace"), response.content_type)
            return body, response.headers

    async def offer(self, room: str, endpoint: str, sdp: str, query: dict[str, str] | None = None) -> MediaSession:
        """Posts an offer to `participants`, `whip` or `whep` of a room."""
        body, headers = await self._request(
            "POST", f"/rooms/{room}/{endpoint}", {201}, data=sdp.encode(), params=query or {},
            headers={"Content-Type": "application/sdp"})
        return MediaSession(body.decode(), headers["Location"], headers.get("ETag"))

    async def leave(self, session: MediaSession) -> None:
        await self._request("DELETE", session.location, {200, 204})

    async def get(self, path: str) -> Any:
        body, _ = await self._request("GET", path, {200})
        return json.loads(body)

    async def put_room(self, room: str, settings: dict[str, Any]) -> None:
        await self._request("PUT", f"/v1/rooms/{room}", {200, 201}, json=settings)

    async def start_prompt(self, room: str, request: dict[str, Any]) -> str:
        """Plays a recording; gives its address."""
        _, headers = await self._request("POST", f"/v1/rooms/{room}/prompts", {201}, json=request)
        return headers["Location"]

    async def patch_room(self, room: str, change: dict[str, Any]) -> dict[str, Any]:
        body, _ = await self._request("PATCH", f"/v1/rooms/{room}", {200}, json=change)
        return json.loads(body)

    async def patch_participant(self, room: str, participant: str, change: dict[str, Any]) -> dict[str, Any]:
        body, _ = await self._request("PATCH", f"/v1/rooms/{room}/participants/{participant}", {200}, json=change)
        return json.loads(body)

    async def delete(self, path: str) -> None:
        await self._request("DELETE", path, {200, 204})

    async def participants(self, room: str) -> list[dict[str, Any]]:
        listing = await self.get(f"/v1/rooms/{room}/participants")
        return listing["participants"] if isinstance(listing, dict) else listing

    async def rooms(self) -> list[dict[str, Any]]:
        listing = await self.get("/v1/rooms")
        return listing["rooms"] if isinstance(listing, dict) else listing

    async def snapshot(self, room: str) -> numpy.ndarray:
        """The picture being sent now, as height x width x 3 of RGB."""
        body, _ = await self._request("GET", f"/v1/rooms/{room}/snapshot.png", {200})
        return numpy.asarray(Image.open(io.BytesIO(body)).convert("RGB"))

    async def metrics(self) -> dict[str, float]:
        """The Prometheus samples, keyed by name and labels as written."""
        body, _ = await self._request("GET", "/metrics", {200})
        lines = [line for line in body.decode().splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def events(self, room: str) -> Any:
        """The room's WebSocket of events, to be used with `async with`."""
        return self._http.ws_connect(f"{self.url}/v1/rooms/{room}/events")
