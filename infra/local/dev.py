# infra/local/dev.py
"""`make dev`: everything, on this machine, until Ctrl-C.

Environment: CRM_PORT (8000), CRM_STATE_DIR (.local), CRM_DEMO (0 leaves the demo shop's purchases out),
CRM_BUDGETS (points that callers may spend, as POINT_BUDGETS has them).
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from infra.local import demo_segments, resources
from infra.local.clients import client
from infra.local.dispatcher.pace import SHRINK
from infra.local.emulator import Emulator, EmulatorFailed
from infra.local.instance import DEMO_SHOP, Instance, python
from infra.local.locks import AlreadyRunning, hold
from infra.local.stopping import StopRequest
from infra.local.terminal import own_ctrl_c
from infra.local.tokens import any_customer, token
from infra.local.wiring import Wiring

SENDER = "hello@demo-shop.example.com"
README = Path(__file__).parents[2] / "README.md"

_READY_SECONDS = 60
_STOP_SECONDS = 30


class CannotStart(Exception):
    pass


def main() -> int:
    instance = Instance.chosen()
    stop = StopRequest()
    in_use = f"Another instance uses {instance.folder}; choose another CRM_STATE_DIR."
    try:
        with own_ctrl_c(), hold(instance.folder / "instance.lock", otherwise=in_use):
            _refuse_taken_port(instance.port)
            return Run(instance).until(stop)
    except (AlreadyRunning, CannotStart, EmulatorFailed) as error:
        print(error, file=sys.stderr)
        return 1


class Run:
    """Processes in the order they depend on each other; they end in the reverse of it."""

    def __init__(self, instance: Instance) -> None:
        self._emulator = Emulator(instance.folder / "emulator")
        self._instance = instance
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._environment: dict[str, str] = {}
        self._staff_token = ""
        self._customer_told = False

    def until(self, stop: StopRequest) -> int:
        try:
            started_at = time.monotonic()
            self._start(stop)
            if not stop.made:
                self._greet(time.monotonic() - started_at)
            while not stop.wait(0.5):
                self._check()
        finally:
            self._stop()
        return 0

    def _start(self, stop: StopRequest) -> None:
        print("Starting Rapport ...", flush=True)
        self._emulator.start()
        self._instance = replace(self._instance, endpoint=self._emulator.endpoint)
        wiring = Wiring.read(endpoint=self._emulator.endpoint)
        resources.create(wiring, self._instance.endpoint)
        resources.verify_sender(client("sesv2", self._instance.endpoint), SENDER)
        self._environment = self._instance.environment(wiring)
        self._make_keys()
        gateway = python("infra.local.gateway", str(self._instance.port))
        self._spawn("gateway", gateway, self._instance.gateway_environment(wiring))
        dispatcher = ("--endpoint", self._instance.endpoint, "--state", str(self._instance.folder / "dispatcher"))
        self._spawn("dispatcher", python("infra.local.dispatcher", *dispatcher), self._environment)
        self._found_shop()
        self._wait_until_ready(stop)
        self._instance.announce()
        if not stop.made and os.environ.get("CRM_DEMO", "1") != "0":
            self._spawn("demo", python("infra.local.demo", "--first-start"), self._environment)

    def _stop(self) -> None:
        """No new events; finish those in hand; drain the stream; then let the emulator save its state."""
        print("\nStopping ...", flush=True)
        self._instance.withdraw()
        for name in ("demo", "gateway", "dispatcher"):
            if (child := self._children.pop(name, None)) is None:
                continue
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"The {name} did not stop and is ended; see {self._instance.log(name)}", flush=True)
                child.kill()
                child.wait()
        self._emulator.stop()
        print(f"Stopped. Its state is kept in {self._instance.folder}.", flush=True)

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = self._instance.log(name)
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as file:
            self._children[name] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the whole foreground group, but these end in their turn.
                start_new_session=True,
            )

    def _check(self) -> None:
        demo = self._children.get("demo")
        if demo is not None and self._staff_token and not self._customer_told:
            self._tell_customer()
        if demo is not None and demo.poll() is not None:
            self._children.pop("demo")
            if demo.returncode != 0:
                print(f"The demo was not loaded; see {self._instance.log('demo')}", flush=True)
            else:
                self._score_customers()
                print("The demo shop is loaded.", flush=True)
        for name in ("gateway", "dispatcher"):
            if (code := self._children[name].poll()) is not None:
                raise CannotStart(f"The {name} ended (exit code {code}):\n{_tail(self._instance.log(name))}")
        if not self._emulator.running():
            raise CannotStart(f"The emulator ended:\n{_tail(self._emulator.log)}")

    def _make_keys(self) -> None:
        from api.local import make_keys  # a third of a second, which the emulator's start need not wait for

        make_keys(self._instance.key, self._instance.jwks)

    def _found_shop(self) -> None:
        shop = ["--id", DEMO_SHOP, "--name", "Demo Records", "--sender", SENDER]
        place = ["--zone", "America/New_York", "--currency", "USD", "--locale", "en-US"]
        command = python("infra.shops", "create", *shop, *place)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 and "SHOP_EXISTS" not in done.stderr:
            raise CannotStart(f"The demo shop could not be founded:\n{done.stderr}")
        self._define_segments()
        self._define_loyalty()

    def _define_loyalty(self) -> None:
        command = python("infra.local.demo_loyalty")
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotStart(f"The demo shop's programme could not be defined:\n{done.stderr}")

    def _define_segments(self) -> None:
        given = [text for name, query in demo_segments.QUERIES.items() for text in ("--segment", name, query)]
        command = python("infra.segments", "define", "--shop", DEMO_SHOP, *given)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotStart(f"The demo shop's segments could not be defined:\n{done.stderr}")

    def _score_customers(self) -> None:
        """The day's scores were drawn while the shop was all but empty."""
        command = python("infra.segments", "score", "--shop", DEMO_SHOP, "--occasion", "demo-loaded")
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotStart(f"The demo shop's customers could not be scored:\n{done.stderr}")

    def _wait_until_ready(self, stop: StopRequest) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not stop.made and not _answers(f"{self._instance.url}/healthz"):
            self._check()
            if time.monotonic() > deadline:
                raise CannotStart(f"The gateway does not answer; see {self._instance.log('gateway')}")
            time.sleep(0.05)

    def _greet(self, seconds: float) -> None:
        url, folder = self._instance.url, self._instance.folder
        self._staff_token = token(url, "staff", DEMO_SHOP)
        service = token(url, "service", DEMO_SHOP)
        print(
            f"""
Rapport runs ({seconds:.1f} s). Visibility timeouts and retry waits are 1/{SHRINK} of the template's.

  GraphiQL   {url}/graphiql
  Events     {url}/v1/events
  Logs       {folder}/logs
  State      {folder}

Tokens for the shop `{DEMO_SHOP}` (POST {url}/_local/token makes more, also for a customer):

  staff      {self._staff_token}

  service    {service}

Ask, in a new tab of GraphiQL (it has the staff token filled in), or by curl with "authorization: Bearer <staff token>":

{readme_query(README.read_text())}
Ctrl-C stops.
""",
            flush=True,
        )
        self._tell_customer()

    def _tell_customer(self) -> None:
        """Print a customer's token once there is a customer: their id is given when their first event comes."""
        customer_id = any_customer(self._instance.url, self._staff_token)
        if customer_id is not None and not self._customer_told:
            self._customer_told = True
            made = token(self._instance.url, "customer", DEMO_SHOP, customer_id=customer_id)
            print(f"And one for the customer {customer_id}:\n\n  customer   {made}\n", flush=True)


def readme_query(readme: str) -> str:
    """Return the first GraphQL query that the README shows."""
    found = re.search(r"```graphql\n(.+?)```", readme, re.DOTALL)
    return found[1] if found else "{ shop { name } }\n"


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(f"Port {port} is taken. Choose another: make dev CRM_PORT={port + 1}") from None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  the local gateway's address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
