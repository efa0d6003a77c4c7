# tests/contract/test_figures.py
"""The figures that were ordered against those that the code declares, and how a figure judges."""

import re
from pathlib import Path

import pytest

from bench.figures import BENCH, BY_NAME, FIGURES, Figure, Report

PAGE = Path(__file__).parents[2] / "docs" / "figures.md"
ROW = re.compile(r"\| `(?P<name>[a-z]+\.[a-z0-9_]+)` \| (?P<unit>\S+) \| (?P<bound>-|(?:==|<=|>=) [\d.]+) \| .+ \|")
COMMAND = re.compile(r"### `make (?P<command>\w+)`")


def ordered() -> dict[str, tuple[str, str, str]]:
    """Command, unit and bound of every figure on the page, by name."""
    found: dict[str, tuple[str, str, str]] = {}
    command = ""
    for line in PAGE.read_text().splitlines():
        if heading := COMMAND.fullmatch(line):
            command = heading["command"]
        elif row := ROW.fullmatch(line):
            assert row["name"] not in found
            found[row["name"]] = (command, row["unit"], row["bound"])
    return found


def test_the_page_lists_figures() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert len(ordered()) == len(rows) > 30


@pytest.mark.parametrize("name", sorted(ordered()))
def test_an_ordered_figure_is_declared_with_its_bound(name: str) -> None:
    command, unit, bound = ordered()[name]
    figure = BY_NAME[name]
    assert (figure.command, figure.unit) == (command, unit)
    if bound == "-":
        assert figure.op is None
    else:
        op, number = bound.split(" ")
        assert figure.op == op
        assert figure.bound == float(number)


def test_no_figure_is_declared_that_nobody_ordered() -> None:
    assert set(BY_NAME) == set(ordered())
    assert len(BY_NAME) == len(FIGURES)


def test_a_figure_is_one_line_of_one_shape() -> None:
    figure = Figure("foundation", "kills", "faults", "kills", ">=", 50)
    assert figure.line(52, n=52, seed=7) == "figure foundation.kills 52 kills goal >= 50 n=52 seed=7 PASS"
    assert figure.line(49, n=49, seed=7).endswith(" FAIL")
    told = Figure("foundation", "event_latency", "bench", "ms").line(251.25, n=100, seed=1)
    assert told == "figure foundation.event_latency 251.250 ms goal - - n=100 seed=1 INFO"


def test_what_could_not_be_measured_fails() -> None:
    assert not Figure("foundation", "kills", "faults", "kills", "==", 0).holds(float("nan"))


def test_a_figure_that_was_owed_and_not_printed_fails_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(BENCH, seed=1, only="customer_page_requests")
    assert report.verdict() == 1
    assert "customer_page_requests nan requests goal == 2 n=0 seed=1 FAIL" in capsys.readouterr().out
    report = Report(BENCH, seed=1, only="foundation.customer_page_requests")
    assert report.tell("foundation.customer_page_requests", 2, n=1)
    assert report.verdict() == 0
