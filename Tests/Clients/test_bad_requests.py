"""Requests that are wrong: the documented error, and nothing changes."""

import asyncio
import json
import socket

import pytest

from http_api import Refused, RoomAPI
from python_peer import Peer
from server import Server

STRANGE_CODECS = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=setup:actpass",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=rtpmap:96 telepathy/16000", ""])


async def refusal(api: RoomAPI, method: str, path: str, **options: object) -> Refused:
    with pytest.raises(Refused) as caught:
        await api._request(method, path, {200, 201, 204}, **options)
    return caught.value


def detail(error: Refused) -> str:
    """The sentence of a problem document."""
    assert error.content_type == "application/problem+json", f"{error.content_type}: {error.text}"
    problem = json.loads(error.text)
    return f"{problem.get('title', '')} {problem.get('detail', '')} line {problem.get('line', 'unknown')}"


SDP = {"Content-Type": "application/sdp"}


@pytest.mark.parametrize("endpoint", ["participants", "whip", "whep"])
async def test_malformed_sdp_is_named_with_its_line(server: Server, room: str, endpoint: str) -> None:
    async with RoomAPI(server.url) as api:
        for text in ("", "hello", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio nine UDP/TLS/RTP/SAVPF 111\r\n"):
            error = await refusal(api, "POST", f"/rooms/{room}/{endpoint}", data=text, headers=SDP)
            assert error.status == 400, error
        assert "line 5" in detail(error), error
        assert room not in [known["name"] for known in await api.rooms()]


async def test_no_codec_in_common_is_told_with_both_lists(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api:
        error = await refusal(api, "POST", f"/rooms/{room}/participants", data=STRANGE_CODECS, headers=SDP)
        assert error.status == 406, error
        assert "telepathy" in detail(error) and "opus" in detail(error).lower()


async def test_wrong_type_and_wrong_method(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api:
        wrong_type = await refusal(api, "POST", f"/rooms/{room}/whip", data="v=0", headers={"Content-Type": "text/plain"})
        assert wrong_type.status == 415, wrong_type
        for method in ("PUT", "DELETE", "PATCH"):
            wrong_method = await refusal(api, method, f"/rooms/{room}/whip")
            assert wrong_method.status == 405, wrong_method


@pytest.mark.parametrize("name", [
    "../etc", "..%2fetc", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%00b", "a%0d%0ab", "%3cb%3e", "a%20b", "x" * 65, "caf%c3%a9"])
async def test_a_bad_room_name_is_refused(server: Server, name: str) -> None:
    offer = await Peer().offer()
    status = await asyncio.to_thread(raw_status, server, "POST", f"/rooms/{name}/participants", offer.encode())
    assert status in (400, 404), status
    status = await asyncio.to_thread(raw_status, server, "GET", f"/v1/rooms/{name}/snapshot.png", b"")
    assert status in (400, 404), status


def raw_status(server: Server, method: str, target: str, body: bytes) -> int:
    """The status of a request whose target is sent exactly as written: clients' libraries tidy paths."""
    with socket.create_connection(server.http_address, timeout=10) as connection:
        head = f"{method} {target} HTTP/1.1\r\nHost: tutti\r\nContent-Type: application/sdp\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode("latin-1") + body)
        line = connection.makefile("rb").readline().decode("latin-1")
        assert line.startswith("HTTP/1."), f"The server answered {line!r}"
        return int(line.split()[1])


async def test_a_body_of_100_mb_is_refused_and_costs_no_memory(server: Server, room: str) -> None:
    before = server.resident_bytes()
    answer, highest = await asyncio.to_thread(send_endless_body, server, f"/rooms/{room}/participants", 100 << 20)
    assert answer == b"" or answer.split()[1] == b"413", answer
    assert highest - before < 24 << 20, f"The server grew by {(highest - before) >> 20} MB"
    assert server.alive


def send_endless_body(server: Server, target: str, length: int) -> tuple[bytes, int]:
    """Sends a body until it ends or nobody reads on; gives the answer's first line and the server's greatest size meanwhile."""
    highest, block = 0, b"a=candidate\r\n" * 5041
    with socket.create_connection(server.http_address, timeout=10) as connection:
        connection.sendall(
            f"POST {target} HTTP/1.1\r\nHost: tutti\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n".encode())
        try:
            for _ in range(length // len(block)):
                connection.sendall(block)
                highest = max(highest, server.resident_bytes())
        except OSError:
            pass
        try:
            return connection.makefile("rb").readline(), max(highest, server.resident_bytes())
        except OSError:
            return b"", max(highest, server.resident_bytes())


async def test_a_session_that_is_none_is_not_found(server: Server, room: str) -> None:
    async with RoomAPI(server.url) as api:
        for method, path in (
            ("DELETE", f"/rooms/{room}/participants/nobody"), ("GET", f"/v1/rooms/{room}"),
            ("GET", f"/v1/rooms/{room}/snapshot.png"), ("GET", "/v1/layouts/nonesuch"), ("GET", "/nonesuch"),
        ):
            error = await refusal(api, method, path)
            assert error.status == 404, f"{method} {path}: {error}"
