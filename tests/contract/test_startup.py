# tests/contract/test_startup.py
"""What the gateway leaves out to start sooner changes nothing of what it says."""

import subprocess
import sys

from tests.local_system import ROOT

TOLD = """
import api.app
from schema.customer.customer import Customer
from schema.export import sdl

assert "__eq__" not in vars(Customer) and "__repr__" not in vars(Customer), "made in full"
print(sdl(), end="")
"""


def test_types_are_made_lean_and_the_schema_is_the_committed_one() -> None:
    told = subprocess.run([sys.executable, "-c", TOLD], cwd=ROOT, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stderr
    assert told.stdout == (ROOT / "schema" / "schema.graphql").read_text()
