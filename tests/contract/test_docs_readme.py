# tests/contract/test_docs_readme.py
"""What the README offers to paste works: its event makes what its query shows. test_examples.py plans every query."""

import json
import re
from datetime import timedelta

import pytest

from crm.intake import parsing
from crm.kernel import clock
from tests.asking import NOW, answer
from tests.contract.stack import ROOT
from tests.shop_events import deliver

README = (ROOT / "README.md").read_text()


def query() -> str:
    (found,) = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    return str(found)


def event() -> str:
    """The event with the time that the shell would put in."""
    (found,) = re.findall(r"<<EOF\n(.*?)\nEOF\n", README, re.DOTALL)
    return str(found).replace("$now", clock.text(NOW - timedelta(minutes=1)))


@pytest.mark.usefixtures("shop", "outlets")
def test_the_event_makes_the_customer_whom_the_query_shows() -> None:
    assert deliver(event()) == []
    given = answer(query(), now=NOW).body
    assert "errors" not in given
    (ada,) = given["data"]["customers"]["nodes"]
    assert ada["firstName"] == "Ada"
    assert ada["statistics"]["totals"][0]["net"] == {"amount": "29.80", "currencyCode": "USD"}
    assert given["data"]["kpi"]["periods"]


def test_the_event_passes_the_door_and_its_id_needs_no_escaping() -> None:
    envelope = parsing.parse(event(), now=NOW)
    assert re.fullmatch(r"[\w.:-]+", envelope.id)


def test_the_shell_leaves_the_event_as_it_is() -> None:
    """Inside an unquoted here-document the shell replaces `$`, backquotes and backslashes."""
    body = event()
    assert not {"$", "`", "\\"} & set(body)
    assert json.loads(body)["shop"] == "demo"


def test_the_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 72


def test_what_is_to_be_pasted_into_a_shell_has_no_comments() -> None:
    """In zsh, which macOS has, `#` begins none at the prompt: it would be an argument."""
    (block,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert "#" not in block
