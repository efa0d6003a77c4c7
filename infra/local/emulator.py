# infra/local/emulator.py
"""ministack, in a virtual environment and a process of its own, on loopback only."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from infra.local.template import REGION

PYTHON = Path(__file__).parents[2] / ".venv-emulator" / "bin" / "python"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
"""What everybody here signs with. It checks those of signed addresses only, and must know them for that."""

_PROCESS = Path(__file__).parent / "emulator_process.py"
_START_SECONDS = 30.0
_STOP_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.05
_CANONICAL_PORT = "4566"


class EmulatorFailed(Exception):
    pass


class Emulator:
    """Its state lives in `folder`, and is saved on a clean stop only. The port is chosen once and kept there too."""

    def __init__(self, folder: Path, *, python: Path = PYTHON) -> None:
        self._folder = folder.absolute()
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self._folder / "emulator.log"

    def start(self) -> None:
        """Return once it answers; raises EmulatorFailed when it does not."""
        if not self._python.exists():
            raise EmulatorFailed(f"{self._python} is missing: run `make setup`.")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._end_orphan()
        self.port = _free_port(self._folder / "port")
        address = ["ministack.app:app", "--bind", f"127.0.0.1:{self.port}"]
        # In one process (hypercorn's default is a second one), and as quiet as it gets.
        options = ["--workers", "0", "--keep-alive", "75", "--log-level", "WARNING"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._python), str(_PROCESS), *address, *options],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the whole foreground group; this process must outlive those that use it.
                start_new_session=True,
            )
        (self._folder / "pid").write_text(str(self._process.pid))
        self._wait_until_healthy()

    def stop(self) -> None:
        """End it cleanly and wait: it writes its state down on the way out."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise EmulatorFailed(f"the emulator did not stop, its last state is not saved; see {self.log}") from None
        finally:
            (self._folder / "pid").unlink(missing_ok=True)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # Queues are stored under their address; a constant one lets another port find them again.
            "GATEWAY_PORT": _CANONICAL_PORT,
            "MINISTACK_REGION": REGION,
            **CREDENTIALS,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "s3"),
            "LOG_LEVEL": "WARNING",
        }

    def _wait_until_healthy(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if _healthy(self.port):
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
        self._process.kill()
        self._process.wait()
        raise EmulatorFailed(f"the emulator did not start; see {self.log}")

    def _end_orphan(self) -> None:
        """End what a killed run left behind: two emulators would overwrite each other's state."""
        try:
            pid, port = int((self._folder / "pid").read_text()), (self._folder / "port").read_text()
        except (FileNotFoundError, ValueError):
            return
        # By then the number may be another's, even another instance's emulator.
        ours = f"ministack.app:app --bind 127.0.0.1:{port} "
        deadline = time.monotonic() + _STOP_SECONDS
        number = int(signal.SIGTERM)
        while ours in _command(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            # A repeated SIGTERM would cut short the saving that the first one asked for.
            number = int(signal.SIGKILL) if time.monotonic() > deadline else 0
            time.sleep(_LOOK_AGAIN_SECONDS)


def _command(pid: int) -> str:
    """Return the command line of a process, empty where it has ended."""
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout


def _free_port(kept: Path) -> int:
    """Return the port of the last run if nobody has taken it since, else a free one."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        port = int(kept.read_text())
        if not _taken(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept.write_text(str(port))
    return port


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=1) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False
