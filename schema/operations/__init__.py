# schema/operations/__init__.py
"""The operations front ends begin with: one file a screen, for the token of a customer (`apps/`), of a device that
nobody has signed in on (`visitors/`), or of staff (`staff/`).

They are part of the contract: GraphiQL shows them, docs/api.md explains them, and `make judges` runs them with the
clients that front ends use. `variables.json` has variables to try each with, where it takes any. In them stand for what
is there: `<customer>`, `<order>`, `<order number>`, `<email>`, `<import>` (one whose file is there), `<redemption>`,
`<voucher code>`, `<entry>` (points that staff gave), `<segment>`, `<reward>`, `<tier>`, `<rule>`, `<bonus>`, `<hold>`,
and another of each of the last six; `<attribute>`, `<static segment>`, `<suppressed address>` (by hand), `<bounced
address>`, and for what is deleted, retired or cancelled `<another customer>`, `<another attribute>`, `<spare segment>`
and `<another import>`, which nothing else is asked about; for times `<today>`, `<a day with orders>`, `<a year ago>`,
`<now>` and `<in a month>`; `<shop>` for the caller's, and `<new key>` and `<new number>` for what nobody has used yet.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct

HERE: Final = Path(__file__).parent
MANIFEST: Final = HERE / "manifest.json"
"""The documents we trust, by their SHA-256: these operations, written by `make schema`."""

NAMED = re.compile(r"^(?:query|mutation) (\w+)", re.MULTILINE)

Audience = Literal["apps", "visitors", "staff"]
AUDIENCES: Final[tuple[Audience, ...]] = ("apps", "visitors", "staff")
FIRST: Final[dict[Audience, str]] = {
    "apps": "HomeQuery",
    "visitors": "VisitorEventsMutation",
    "staff": "CustomerListQuery",
}
"""What each opens."""


class Operation(Struct, frozen=True):
    name: str
    audience: Audience
    text: str
    variables: dict[str, Any]


@cache
def operations() -> tuple[Operation, ...]:
    """All of them, in the order in which a newcomer meets them: the home screen first, queries before mutations."""
    variables = json.loads((HERE / "variables.json").read_text())
    found = [
        Operation(name, audience, text, variables.get(name, {}))
        for audience in AUDIENCES
        for path in sorted((HERE / audience).glob("*.graphql"))
        for text in [path.read_text()]
        for name in NAMED.findall(text)
    ]
    return tuple(sorted(found, key=_place))


def _place(operation: Operation) -> tuple[int, bool, bool]:
    is_mutation = operation.name.endswith("Mutation")
    return AUDIENCES.index(operation.audience), is_mutation, operation.name != FIRST[operation.audience]
