# infra/local/instance.py
"""One local Rapport: a folder with its state, the port of its gateway, and the environment of its processes.

Several run side by side, each with a CRM_STATE_DIR and a CRM_PORT of its own.
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.local.emulator import CREDENTIALS
from infra.local.template import REGION
from infra.local.wiring import Wiring

ISSUER = "https://local.rapport.example"
AUDIENCE = "rapport-local"
DEMO_SHOP = "demo"
BUDGETS = " ".join(f"{kind}=1000000/100000" for kind in ("customer", "visitor", "staff", "service"))
"""As on AWS, and so large that nobody at a laptop meets them."""
INTERRUPTED = 130
"""How a command ends that Ctrl-C cut short, as a shell would say it."""


class NotRunning(Exception):
    pass


@dataclass(frozen=True)
class Instance:
    folder: Path
    port: int
    endpoint: str

    @classmethod
    def chosen(cls) -> Self:
        """Return the one that CRM_STATE_DIR and CRM_PORT name; its emulator has no address before it has started."""
        return cls(state_folder(), int(os.environ.get("CRM_PORT") or 8000), "")

    @classmethod
    def running(cls) -> Self:
        """Return the one that has been started in CRM_STATE_DIR; raises NotRunning."""
        folder = state_folder()
        try:
            found = json.loads((folder / "instance.json").read_text())
        except FileNotFoundError:
            raise NotRunning(
                f"Nothing runs in {folder}: start it with `make dev` (CRM_STATE_DIR names another)."
            ) from None
        return cls(folder, found["port"], found["endpoint"])

    def announce(self) -> None:
        announcement = json.dumps({"port": self.port, "endpoint": self.endpoint})
        (self.folder / "instance.json").write_text(announcement)

    def withdraw(self) -> None:
        (self.folder / "instance.json").unlink(missing_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> Path:
        return self.folder / "token-key.pem"

    @property
    def jwks(self) -> Path:
        return self.folder / "jwks.json"

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def gateway_environment(self, wiring: Wiring) -> dict[str, str]:
        """Return what the gateway finds: its variables in the template (what that forgets is missing here, too), with
        local values for what only AWS has.
        """
        return self._environment(wiring.function("GatewayFunction").environment)

    def environment(self, wiring: Wiring) -> dict[str, str]:
        """Return what operators' commands find: the names of everything, except that nobody's own dead letters are
        everybody's.
        """
        variables: dict[str, str] = {}
        for function in wiring.functions:
            variables |= function.environment
        variables.pop("DEAD_LETTERS_URL", None)
        return self._environment(variables)

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {
            **_plain(os.environ),
            **variables,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            "JWT_ISSUER": ISSUER,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_JWKS": str(self.jwks),
            "CURSOR_SECRET": self._secret("cursor-secret"),
            "VISITOR_SECRET": self._secret("visitor-secret"),
            "POINT_BUDGETS": os.environ.get("CRM_BUDGETS") or BUDGETS,
            **self.local_variables(),
        }

    def local_variables(self) -> dict[str, str]:
        return {
            "CRM_LOCAL": "1",
            "CRM_LOCAL_KEY": str(self.key),
            "CRM_CLOCK_FILE": str(self.folder / "clock"),
            "CRM_STATE_DIR": str(self.folder),
            "CRM_PORT": str(self.port),
        }

    def _secret(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text()


def state_folder() -> Path:
    return Path(os.environ.get("CRM_STATE_DIR") or ".local").absolute()


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out profiles and tokens of real accounts: the local run must never reach AWS."""
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}
