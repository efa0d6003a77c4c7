# tests/judges/fuzz.py
"""schemathesis over the SDL, by the interpreter of `.venv-judges`: requests that fit the schema, and some that do not.

Arguments: the gateway's URL and how many examples an operation; TOKENS (by audience) and WORDS (what is there) in the
environment. Prints one line of JSON. Wrong is a 5xx, no JSON, and a fault of ours that the gateway has masked.
"""

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.graphql import nodes

SDL: Final = Path(__file__).parents[2] / "schema" / "schema.graphql"
FAULT: Final = "INTERNAL_ERROR"
MOST_TOLD: Final = 20


def texts(*likely: str) -> Any:
    """What fits, and what only has the right type."""
    return st.one_of(st.sampled_from(likely), st.text(max_size=40)).map(nodes.String)


def teach(words: dict[str, str]) -> None:
    """How to draw our scalars: often something that is there."""
    schemathesis.graphql.scalar("ID", texts(words["<customer>"], words["<order>"], "", "Q3VzdG9tZXJf"))
    schemathesis.graphql.scalar("EmailAddress", texts(words["<email>"], "new@example.com", "no address"))
    schemathesis.graphql.scalar("PhoneNumber", texts("+431234567", "12"))
    schemathesis.graphql.scalar("DateTime", texts(words["<now>"], "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"))
    schemathesis.graphql.scalar("Date", texts(words["<today>"], words["<a year ago>"], "0001-01-01", "9999-12-31"))
    schemathesis.graphql.scalar("Decimal", texts("12.50", "-0", "999999999999999999.999999", "1e9"))
    schemathesis.graphql.scalar("CountryCode", texts("AT", "XX"))
    schemathesis.graphql.scalar("CurrencyCode", texts("EUR", "XXX", "JPY"))
    schemathesis.graphql.scalar("TimeZone", texts("Europe/Vienna", "../etc/passwd"))
    schemathesis.graphql.scalar("Points", st.integers(-(2**63), 2**63).map(nodes.Int))
    schemathesis.graphql.scalar("JSON", st.one_of(st.text(max_size=20).map(nodes.String), st.just(nodes.Null)))


class Fuzzing:
    def __init__(self, url: str, tokens: dict[str, str]) -> None:
        # Not as a visitor: all but one mutation would be refused, and that one is drawn for the others.
        self.headers = [{"authorization": f"Bearer {tokens[audience]}"} for audience in ("apps", "staff")]
        self.schema = schemathesis.graphql.from_path(SDL)
        self.schema.config.update(base_url=f"{url}/graphql")
        self.statuses: Counter[str] = Counter()
        self.findings: list[str] = []

    def run(self, examples: int, drawn_by: int) -> None:
        for each in self.schema.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._fuzz(each.ok(), mode, examples, drawn_by)

    def _fuzz(self, operation: Any, mode: GenerationMode, examples: int, drawn_by: int) -> None:
        @seed(drawn_by)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            for headers in self.headers:
                self._judge(operation.label, case.call(headers=headers))

        ask()

    def _judge(self, label: str, response: Any) -> None:
        try:
            body = json.loads(response.content)
        except ValueError:
            body = {"errors": [{"extensions": {"code": "NO_JSON"}}]}
        found = list(codes(body))
        self.statuses[f"{response.status_code} {found[0] if found else 'OK'}"] += 1
        if response.status_code >= 500 or FAULT in found or "NO_JSON" in found:
            self.findings.append(f"{label}: {response.status_code} {found}: {response.request.body!r}")


def codes(body: Any) -> Iterator[str]:
    for error in body.get("errors", ()):
        yield str(error["extensions"]["code"])


def main() -> int:
    url, examples = sys.argv[1], int(sys.argv[2])
    drawn_by = int(os.environ.get("SEED") or 1)
    random.seed(drawn_by)
    teach(json.loads(os.environ["WORDS"]))
    fuzzing = Fuzzing(url, json.loads(os.environ["TOKENS"]))
    fuzzing.run(examples, drawn_by)
    told = {"judged": sum(fuzzing.statuses.values()), "findings": fuzzing.findings[:MOST_TOLD]}
    sys.stdout.write(json.dumps(told | {"answers": dict(fuzzing.statuses.most_common())}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
