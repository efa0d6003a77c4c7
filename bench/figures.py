# bench/figures.py
"""Every figure that was ordered, declared once: its fixed name, unit and bound (docs/figures.md), and how it prints.

figure <area>.<name> <value> <unit> goal <op> <bound> n=<n> seed=<seed> PASS|FAIL|INFO
"""

import operator
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

AREAS: Final = ("foundation", "gateway", "segments", "loyalty", "notifications", "feedback", "kpis")
FAULTS, BENCH, E2E, JUDGES = "faults", "bench", "e2e", "judges"

_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Figure:
    """`op` and `bound` are None where none was ordered: then it is for information."""

    area: str
    name: str
    command: str
    unit: str
    op: str | None = None
    bound: float | None = None

    def __post_init__(self) -> None:
        assert self.area in AREAS
        assert (self.op is None) == (self.bound is None)

    @property
    def full_name(self) -> str:
        return f"{self.area}.{self.name}"

    def holds(self, value: float) -> bool:
        """NaN, for what could not be measured, holds nothing."""
        return self.op is None or self.bound is None or _HOLDS[self.op](value, self.bound)

    def line(self, value: float, *, n: int, seed: int) -> str:
        goal = "- -" if self.op is None or self.bound is None else f"{self.op} {_number(self.bound)}"
        verdict = "INFO" if self.op is None else "PASS" if self.holds(value) else "FAIL"
        return f"figure {self.full_name} {_number(value)} {self.unit} goal {goal} n={n} seed={seed} {verdict}"


def _foundation(name: str, command: str, unit: str, op: str | None = None, bound: float | None = None) -> Figure:
    return Figure("foundation", name, command, unit, op, bound)


def _gateway(name: str, command: str, unit: str, op: str | None = None, bound: float | None = None) -> Figure:
    return Figure("gateway", name, command, unit, op, bound)


def _segments(name: str, command: str, unit: str, op: str | None = None, bound: float | None = None) -> Figure:
    return Figure("segments", name, command, unit, op, bound)


def _loyalty(name: str, command: str, unit: str, op: str | None = None, bound: float | None = None) -> Figure:
    return Figure("loyalty", name, command, unit, op, bound)


FIGURES: Final = (
    # orders under duplicates, disorder and kills
    _foundation("statistics_wrong", FAULTS, "customers", "==", 0),
    _foundation("points_wrong", FAULTS, "customers", "==", 0),
    _foundation("segments_wrong", FAULTS, "customers", "==", 0),
    _foundation("touchpoints_wrong", FAULTS, "customers", "==", 0),
    _foundation("cells_wrong", FAULTS, "cells", "==", 0),
    _foundation("messages_doubled", FAULTS, "customers", "==", 0),
    _foundation("events_waiting", FAULTS, "events", "==", 0),
    _foundation("poison_not_dead_lettered", FAULTS, "events", "==", 0),
    _foundation("dead_letters_unexpected", FAULTS, "letters", "==", 0),
    _foundation("redriven_not_applied_once", FAULTS, "events", "==", 0),
    _foundation("kills", FAULTS, "kills", ">=", 50),
    _foundation("kill_points_missed", FAULTS, "points", "==", 0),
    _foundation("most_kills_of_a_message", FAULTS, "kills", "<=", 4),
    # races
    _foundation("creators_winning", FAULTS, "creators", "==", 1),
    _foundation("creators_told_who_holds_it", FAULTS, "creators", "==", 63),
    _foundation("creators_overlapping", FAULTS, "creators", ">=", 8),
    # tenants
    _foundation("tenant_leaks", FAULTS, "answers", "==", 0),
    # throttles and conflicts
    _foundation("throttled_customers_wrong", FAULTS, "customers", "==", 0),
    _foundation("throttles_injected", FAULTS, "refusals", ">=", 200),
    # cost
    _foundation("customer_page_requests", BENCH, "requests", "==", 2),
    _foundation("customer_list_requests", BENCH, "requests", "<=", 56),
    _foundation("customer_page_of_50_requests", BENCH, "requests", "<=", 52),
    _foundation("gateway_first_answer", BENCH, "ratio", "<=", 1.3),
    _foundation("function_first_record", BENCH, "ratio", "<=", 1.3),
    _foundation("event_requests_growth", BENCH, "requests", "==", 0),
    _foundation("gateway_throughput", BENCH, "ratio"),
    _foundation("event_throughput", BENCH, "events/s"),
    _foundation("event_latency", BENCH, "ms"),
    # the whole system
    _foundation("order_to_statistics", E2E, "ms"),
    _foundation("order_to_segment", E2E, "ms"),
    _foundation("order_to_points", E2E, "ms"),
    _foundation("order_to_kpi", E2E, "ms"),
    _foundation("order_to_message", E2E, "ms"),
    _foundation("lost_over_restart", E2E, "events", "==", 0),
    _foundation("disturbed_by_second_instance", E2E, "events", "==", 0),
    # what judges the gateway from outside
    _gateway("audits_passed", JUDGES, "audits", "==", 61),
    _gateway("lint_findings", JUDGES, "findings", "==", 0),
    _gateway("client_failures", JUDGES, "failures", "==", 0),
    _gateway("breaking_changes_undetected", JUDGES, "changes", "==", 0),
    _gateway("breaking_changes_unannounced", JUDGES, "changes", "==", 0),
    _gateway("fuzz_server_errors", JUDGES, "answers", "==", 0),
    # races
    _gateway("consent_races_wrong", FAULTS, "customers", "==", 0),
    _gateway("consent_writers_overlapping", FAULTS, "writers", ">=", 8),
    _gateway("visitor_interleavings_wrong", FAULTS, "interleavings", "==", 0),
    # who gets in
    _gateway("bulk_rows_wrong", FAULTS, "rows", "==", 0),
    _gateway("forged_tokens_accepted", FAULTS, "tokens", "==", 0),
    _gateway("jwks_fetches_per_cooldown", FAULTS, "fetches", "<=", 1),
    _gateway("access_cells_wrong", FAULTS, "cells", "==", 0),
    _gateway("versions_won_twice", FAULTS, "versions", "==", 0),
    _gateway("bucket_overdrawn", FAULTS, "points", "==", 0),
    # what is asked for
    _gateway("attacks_not_refused", BENCH, "attacks", "==", 0),
    _gateway("slowest_refusal", BENCH, "ratio", "<=", 3),
    _gateway("bulk_requests", BENCH, "ratio", "<=", 1.05),
    _gateway("bulk_repeat_requests", BENCH, "requests", "<=", 1.2),
    _gateway("legitimate_refused", BENCH, "operations", "==", 0),
    _gateway("record_page_requests", BENCH, "requests", "==", 5),
    _gateway("timeline_requests", BENCH, "requests", "==", 2),
    _gateway("page_of_50_requests", BENCH, "requests", "<=", 57),
    _gateway("throughput", BENCH, "ratio", ">=", 0.08),
    _gateway("throughput_to_yoga", BENCH, "ratio"),
    # scores
    _segments("rfm_wrong", FAULTS, "customers", "==", 0),
    # who is in which segment, and since when
    _segments("oracle_differences", FAULTS, "verdicts", "==", 0),
    _segments("oracle_early_changes", FAULTS, "verdicts", "==", 0),
    _segments("oracle_members_share", FAULTS, "share", ">=", 0.2),
    _segments("oracle_others_share", FAULTS, "share", ">=", 0.2),
    _segments("spurious_wakes", FAULTS, "share"),
    _segments("storm_memberships_wrong", FAULTS, "memberships", "==", 0),
    _segments("storm_transitions_wrong", FAULTS, "transitions", "==", 0),
    _segments("storm_kills", FAULTS, "kills", ">=", 50),
    _segments("time_differences", FAULTS, "stays", "==", 0),
    _segments("sweep_requests_growth", FAULTS, "requests", "==", 0),
    _segments("backfill_wrong", FAULTS, "customers", "==", 0),
    _segments("backfill_requests", FAULTS, "ratio", "<=", 1.1),
    _segments("evaluation_ratio", BENCH, "ratio", "<=", 3),
    _segments("untouched_evaluations", BENCH, "evaluations", "==", 0),
    _segments("event_requests_growth", BENCH, "requests", "==", 0),
    _segments("event_write_units_growth", BENCH, "units", "==", 0),
    # points under whoever comes at once
    _loyalty("redeemers_succeeding", FAULTS, "redeemers", "==", 30),
    _loyalty("key_effects_wrong", FAULTS, "effects", "==", 0),
    _loyalty("key_answers_differing", FAULTS, "answers", "==", 0),
    _loyalty("keys_reused", FAULTS, "keys", "==", 0),
    _loyalty("budget_overspent", FAULTS, "points", "==", 0),
    _loyalty("stock_redeemed", FAULTS, "redemptions", "==", 15),
    # what a model says of all that can happen
    _loyalty("machine_differences", FAULTS, "runs", "==", 0),
    _loyalty("stored_machine_differences", FAULTS, "runs", "==", 0),
    _loyalty("conditions_surviving", FAULTS, "conditions", "==", 0),
    # points of orders under duplicates, disorder and kills
    _loyalty("balances_wrong", FAULTS, "accounts", "==", 0),
    _loyalty("orders_lost", FAULTS, "orders", "==", 0),
    _loyalty("orders_doubled", FAULTS, "orders", "==", 0),
    _loyalty("late_duplicates_doubled", FAULTS, "orders", "==", 0),
    _loyalty("workers_killed", FAULTS, "kills", ">=", 50),
    # ledgers that are tampered with
    _loyalty("edits_undetected", FAULTS, "edits", "==", 0),
    # what points cost
    _loyalty("earned_order_requests", BENCH, "requests"),
    _loyalty("earned_order_write_units", BENCH, "units"),
    _loyalty("redemption_requests", BENCH, "requests"),
    _loyalty("redemption_write_units", BENCH, "units"),
    _loyalty("requests_growth", BENCH, "requests", "==", 0),
    _loyalty("write_units_growth", BENCH, "units", "==", 0),
)  # fmt: skip

BY_NAME: Final = {figure.full_name: figure for figure in FIGURES}


@dataclass
class Report:
    """The figures of one run of a command. One that is owed and was not printed is a FAIL, too."""

    command: str
    seed: int
    only: str = ""
    quick: bool = False
    printed: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of_environment(cls, command: str, *, seed: int = 1) -> "Report":
        """Reads ONLY=<area or figure> and QUICK=1."""
        only, quick = os.environ.get("ONLY", ""), os.environ.get("QUICK", "") not in {"", "0"}
        return cls(command, int(os.environ.get("SEED") or seed), only, quick)

    def wants(self, *names: str) -> bool:
        """Whether any of these figures (of any area, by their full names) is asked for."""
        return any(self._asked(BY_NAME[name]) for name in names)

    def tell(self, name: str, value: float, *, n: int) -> bool:
        """Print the figure; return whether it holds."""
        figure = BY_NAME[name]
        assert figure.command == self.command, f"{name} is a figure of `make {figure.command}`"
        print(figure.line(value, n=n, seed=self.seed), flush=True)
        self.printed[name] = figure.holds(value)
        return self.printed[name]

    def verdict(self) -> int:
        """The exit code; names what is owed and was not printed."""
        owed = [figure for figure in FIGURES if figure.command == self.command and self._asked(figure)]
        if not owed and self.only not in AREAS:
            print(f"ONLY names no area and no figure of `make {self.command}`: {self.only}", flush=True)
            return 2
        for figure in owed:
            if figure.full_name not in self.printed:
                self.tell(figure.full_name, float("nan"), n=0)
                # Also where no bound was ordered: it was to be told.
                self.printed[figure.full_name] = False
        return 0 if all(self.printed.values()) else 1

    def _asked(self, figure: Figure) -> bool:
        return self.only in {"", figure.area, figure.name, figure.full_name}


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"
