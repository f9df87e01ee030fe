"""The server under test: one `tutti serve` process on free ports."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port of this kind that nobody uses now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def own_address(family: socket.AddressFamily = socket.AF_INET) -> str:
    """This machine's address beside the loopback one."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1" if family == socket.AF_INET else "2001:db8::1", 9))  # sends nothing: it only asks which way that would be
        except OSError:
            raise AssertionError("This machine has no address but the loopback one, and browsers need another.") from None
        return probe.getsockname()[0]


def media_port(host: str) -> int:
    """A number free for UDP and for TCP: the server takes both."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.bind((host, port))
            return port
        except OSError:
            continue


class Server:
    """A running server; TUTTI_BINARY names the program, by default the release build of this tree."""

    def __init__(
        self, config: str | None = None, media_host: str = "127.0.0.1", layouts: Path = REPOSITORY / "Tests/Clients/layouts",
        http_host: str = "127.0.0.1",
        network_threads: int | None = None,
    ) -> None:
        binary = Path(os.environ.get("TUTTI_BINARY", REPOSITORY / ".build/release/tutti"))
        if not binary.exists():
            raise FileNotFoundError(f"There is no server at {binary}: run `swift build -c release` or set TUTTI_BINARY.")
        self.rtc_address = (media_host, media_port(media_host))
        self.http_address = (f"[{http_host}]" if ":" in http_host else http_host, free_port(socket.SOCK_STREAM, http_host))
        self.url = "http://%s:%d" % self.http_address
        self._directory = tempfile.TemporaryDirectory(prefix="tutti-test-")
        self._log = Path(self._directory.name, "stderr")
        command = [str(binary), "serve", "--http", "%s:%d" % self.http_address, "--rtc", f"[{media_host}]:{self.rtc_address[1]}" if ":" in media_host else "%s:%d" % self.rtc_address]
        # Layouts of the tests' own: where tiles lie is computed here as well, which those that are shipped make hard.
        command += ["--layouts", str(layouts)]
        # The machine is busy with the clients as well.
        command += ["--overload", "ignore"]
        if network_threads is not None:
            command += ["--network-threads", str(network_threads)]
        if config is not None:
            file = Path(self._directory.name, "tutti.json5")
            file.write_text(config)
            command += ["--config", str(file)]
        self._command = command
        self.start_again()

    def start_again(self) -> None:
        """Starts the program on the ports of this server."""
        with self._log.open("wb") as log:
            # What is set for the tests is no setting of the server.
            environment = {name: value for name, value in os.environ.items() if not name.startswith("TUTTI_")}
            self.process = subprocess.Popen(self._command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
        try:
            self._wait_until_healthy()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        """Ends the program without a word to anybody."""
        self.process.kill()
        self.process.wait()

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended with {self.process.returncode} at its start:\n{self.log}")
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=1) as response:
                    if response.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"The server did not answer /healthz within 15 s:\n{self.log}")

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self) -> float:
        """User and system time used so far; the kernel counts it in ticks of 10 ms."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """Asks for a drain and demands exit code 0."""
        try:
            early = self.process.poll()
            assert early is None, f"The server ended by itself with {early}:\n{self.log}"
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(timeout=20)
            assert code == 0, f"The server ended with {code} after SIGTERM:\n{self.log}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"The server did not stop within 20 s of SIGTERM:\n{self.log}") from None
        finally:
            self._directory.cleanup()
