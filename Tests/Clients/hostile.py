"""What nobody friendly sends: datagrams made by hand."""

import os
import random
import socket

from aioice import stun
from OpenSSL import SSL


def attribute(sdp: str, name: str) -> str:
    """The first value of an SDP attribute."""
    return next(line for line in sdp.splitlines() if line.startswith(f"a={name}:")).partition(":")[2]


def forged_check(answer: str, password: bytes = b"not the password at all") -> bytes:
    """A binding request for the session of an answer, its integrity computed with another password."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = attribute(answer, "ice-ufrag") + ":abcd"
    request.attributes["PRIORITY"] = 1_845_501_695
    request.attributes["ICE-CONTROLLING"] = 1
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password)
    return bytes(request)


def client_hello() -> bytes:
    """The first flight of a DTLS handshake."""
    connection = SSL.Connection(SSL.Context(SSL.DTLS_CLIENT_METHOD))
    connection.set_connect_state()
    connection.set_ciphertext_mtu(1200)
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        pass
    return connection.bio_read(4096)


def media_packet(ssrc: int, sequence: int) -> bytes:
    """RTP's header before 160 random bytes: no one without the key can tell it from SRTP."""
    return bytes([0x80, 111]) + sequence.to_bytes(2) + bytes(4) + ssrc.to_bytes(4) + os.urandom(160)


def garbage(seed: int, count: int) -> list[bytes]:
    """Datagrams of every length and every first byte, the beginnings of the protocols' own among them."""
    generator = random.Random(seed)
    beginnings = [b"", b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"\x16\xfe\xfd\x00\x00", b"\x80\x6f", b"\x80\xc8\x00\x06", b"\x90\x60"]
    return [generator.choice(beginnings) + generator.randbytes(generator.randrange(1400)) for _ in range(count)]


def exchange(address: tuple[str, int], datagrams: list[bytes], wait: float = 0.5) -> list[bytes]:
    """Sends datagrams from an address of their own and gives what comes back until it stays silent so long."""
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.settimeout(wait)
        try:
            for datagram in datagrams:
                sender.send(datagram)
            while True:
                answers.append(sender.recv(65_536))
        except TimeoutError:
            return answers
