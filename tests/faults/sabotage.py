# tests/faults/sabotage.py
"""What a figure of faults, or of what points cost, watches, taken out: with it, the figure must print FAIL.

Each entry names the guard that is gone. Those `in_worker` are taken out of the workers of a run, the others out of the
process that runs the figure.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any, Final

import jwt
from msgspec.structs import replace

from crm.consent.models import ConsentHead
from crm.customers import service as customers
from crm.customers.models import Identity
from crm.intake import changes, repository, words
from crm.kernel import buckets, change, dead_letters, operations, table, timers
from crm.kernel.change import Change
from crm.kernel.errors import InvalidInput, Stale
from crm.kernel.table import customer_key
from crm.kpis import rollup
from crm.loyalty import holding, moving, orders
from crm.loyalty import repository as points
from crm.loyalty.earning.models import RuleBudget
from crm.loyalty.ledger import order_points, pools
from crm.loyalty.models import LedgerEntry, LoyaltyAccount
from crm.loyalty.redemptions.models import RewardStock
from crm.loyalty.verification import judging
from crm.notifications import delivery, recipient
from crm.segmentation import events as stays
from crm.segmentation import refreshing, rfm, transitions
from crm.segmentation.language import days, stretches, truth
from crm.touchpoints import service as touchpoints
from crm.touchpoints import visitors

_versions = count(10**6)


def _replace(place: Any, name: str, value: Any) -> None:
    assert hasattr(place, name), f"{place} has no {name} any more"
    setattr(place, name, value)


def an_older_version_changes_nothing() -> None:
    plain = words.order_version

    def newest(*arguments: Any) -> Any:
        return replace(plain(*arguments), version=next(_versions))

    _replace(words, "order_version", newest)
    an_event_has_its_effect_once()


def an_event_has_its_effect_once() -> None:
    _replace(repository, "get_event", lambda *_: None)
    _replace(repository, "add_received", lambda change_, event: change_.write(event, when=None, otherwise=Stale()))


def a_correction_posts_the_difference() -> None:
    _replace(order_points, "correction", lambda points, **_: points)


def time_has_a_timer() -> None:
    _replace(timers, "set_to", lambda *_: None)


def what_a_visitor_did_is_brought_to_the_customer() -> None:
    _replace(touchpoints, "settle", lambda *_, **__: 0)


def a_correction_replaces_what_was_counted() -> None:
    _replace(rollup, "difference", lambda _, after: dict(after))


def what_was_waited_for_is_told() -> None:
    _replace(repository, "add_unblocked", lambda *_, **__: None)


def a_dead_letter_is_whole() -> None:
    put = dead_letters.put
    _replace(dead_letters, "put", lambda url, body, **more: put(url, body[: len(body) // 2], **more))


def a_message_met_while_it_is_sent_is_left() -> None:
    _replace(delivery, "_leave", lambda message, *_: delivery._reserved(message, recipient.look_up(message)))


def a_good_event_is_not_given_up() -> None:
    """Every fiftieth commit is a bug that looks like a refusal."""
    commit, numbers = Change.commit, count(1)

    def sometimes(self: Change) -> bool:
        if next(numbers) % 50 == 0:
            raise InvalidInput("sabotage")
        return commit(self)

    _replace(Change, "commit", sometimes)


def an_identifier_has_one_holder() -> None:
    create = Change.create

    def anyway(self: Change, item: Any, *, otherwise: Any) -> None:
        if isinstance(item, Identity):
            self.write(item, when=None, otherwise=otherwise)
        else:
            create(self, item, otherwise=otherwise)

    _replace(Change, "create", anyway)


def a_head_is_what_was_read() -> None:
    revise = Change.revise

    def anyway(self: Change, item: Any) -> None:
        if isinstance(item, ConsentHead):
            self.write(item, when=None, otherwise=Stale())
        else:
            revise(self, item)

    _replace(Change, "revise", anyway)


def an_account_is_what_was_read() -> None:
    revise = Change.revise

    def anyway(self: Change, item: Any) -> None:
        if isinstance(item, LoyaltyAccount):
            item.rev = int(item.rev) + 1
            self.write(item, when=None, otherwise=Stale())
        else:
            revise(self, item)

    _replace(Change, "revise", anyway)


def a_movement_has_its_cause_once() -> None:
    """Nobody looks whether it is there, and it is written over."""
    _replace(Change, "once", lambda change_, item: change_.write(item, when=None, otherwise=Stale()))
    _replace(points, "get_entry", lambda *_: None)


def a_key_stands_for_what_was_asked() -> None:
    for module in (moving, holding):
        _replace(module, "told_before", lambda item, _: moving.Given(item, replayed=True))


def a_movement_reads_no_entries() -> None:
    """But all there are, a hundred at a time."""
    plain = points.list_months

    def looking_back(shop: str, customer_id: str, **more: Any) -> Any:
        entries = LedgerEntry.sk.startswith("LEDGER#")
        list(LedgerEntry.query(customer_key(shop, customer_id), entries, page_size=100))
        return plain(shop, customer_id, **more)

    _replace(points, "list_months", looking_back)


def an_account_says_no_more_however_much_it_has_done() -> None:
    revise = Change.revise

    def growing(self: Change, item: Any) -> None:
        if isinstance(item, LoyaltyAccount):
            item.cause = "." * int(item.number)
        revise(self, item)

    _replace(Change, "revise", growing)


def what_expires_first_is_spent_first() -> None:
    """What expires last is."""
    taking = pools.taking

    def last_first(found: Any, points: int, **more: Any) -> Any:
        lines: list[Any] = []
        for name in sorted(found, reverse=True):
            lines += taking({name: found[name]}, points - sum(line.points for line in lines), **more)
        return lines

    _replace(pools, "taking", last_first)


def a_piece_is_taken_while_there_is_one() -> None:
    """Or points of a budget."""
    update = Change.update

    def anyway(self: Change, item: Any, actions: Any, *, when: Any, otherwise: Any) -> None:
        update(
            self, item, actions, when=None if isinstance(item, RewardStock | RuleBudget) else when, otherwise=otherwise
        )

    _replace(Change, "update", anyway)


def every_order_is_posted() -> None:
    """But every twentieth."""
    post, numbers = orders._post, count(1)

    def mostly(*arguments: Any, **more: Any) -> Any:
        return (orders.Posted(0, None), False) if next(numbers) % 20 == 0 else post(*arguments, **more)

    _replace(orders, "_post", mostly)


def what_came_before_changes_nothing() -> None:
    """Each duplicate is news, and posts the whole."""
    an_older_version_changes_nothing()
    a_correction_posts_the_difference()


def each_entry_names_the_one_before() -> None:
    _replace(judging, "_chain", lambda *_: [])


def a_key_begins_with_its_tenant() -> None:
    """The keys of customers and their identifiers begin with one tenant, whoever asks."""
    plain = customer_key

    def everybodys(_: str, customer_id: str) -> str:
        return plain("alpha", customer_id)

    for module in list(sys.modules.values()):
        if getattr(module, "customer_key", None) is plain:
            _replace(module, "customer_key", everybodys)
    of = Identity.of.__func__  # type: ignore[attr-defined]
    _replace(Identity, "of", classmethod(lambda cls, _, *rest: of(cls, "alpha", *rest)))


def a_refused_write_is_tried_again() -> None:
    _replace(change, "ATTEMPTS", 0)


def a_signature_is_checked() -> None:
    decode = jwt.decode

    def unchecked(token: str, key: Any, **more: Any) -> Any:
        return decode(token, key, **more | {"options": more["options"] | {"verify_signature": False}})

    _replace(jwt, "decode", unchecked)


def keys_are_fetched_once_in_a_cool_down() -> None:
    from api.authentication import KeySet

    _replace(KeySet, "_may_fetch", lambda _: True)


def a_bucket_is_charged_by_its_condition() -> None:
    """It is written without one, as if each came alone."""

    class Blind:
        def update_item(self, **asked: Any) -> Any:
            del asked["ConditionExpression"], asked["ReturnValuesOnConditionCheckFailure"]
            asked["ExpressionAttributeValues"].pop(":latest", None)
            if ":at + " not in asked["UpdateExpression"]:
                asked["ExpressionAttributeValues"].pop(":at")
            return table.client().update_item(**asked)

    _replace(buckets, "client", Blind)


def the_earliest_identification_holds() -> None:
    """The last to arrive does."""
    _replace(visitors, "_precedes", lambda *_: True)


def a_profile_is_written_on_the_version_it_was_read_in() -> None:
    """Nor is the entry of its history, which is one for each revision."""

    def anyway(self: Change, item: Any, **_: Any) -> None:
        item.rev = int(item.rev) + 1
        self.write(item, when=None, otherwise=Stale())

    def over(self: Change, item: Any, **_: Any) -> None:
        self.write(item, when=None, otherwise=Stale())

    _replace(Change, "revise", anyway)
    _replace(Change, "create", over)
    _replace(Change, "once", over)


def a_customer_who_is_found_is_read_in_the_callers_shop() -> None:
    """In the shop `demo`, whoever asks."""
    from schema.customer import queries
    from schema.customer.customer import customer_by_key as plain

    async def by_key(context: Any, customer_id: str) -> Any:
        context.principal = replace(context.principal, shop="demo")
        return await plain(context, customer_id)

    _replace(queries, "customer_by_key", by_key)


def a_step_that_was_not_sent_on_is_sent_on_by_whoever_comes_again() -> None:
    go_on = operations.go_on

    def as_if_new(task: Any, step: Any, *, now: Any, **_: Any) -> Any:
        return go_on(task, step, again=False, now=now)

    _replace(operations, "go_on", as_if_new)


def those_who_share_a_value_share_the_lower_score() -> None:
    _replace(rfm, "_fifth", lambda bounds, value: min(rfm.FIFTHS, 1 + sum(bound <= value for bound in bounds)))


def what_is_unknown_is_not_false() -> None:
    """Nor is its opposite true."""
    opposite = truth.opposite

    def settled(part: Any) -> Any:
        stand = opposite(part)

        def settling(moment: Any) -> Any:
            found, *until = stand(moment)
            return (True if found is None else found, *until)

        return settling

    _replace(truth, "opposite", settled)


def a_verdict_names_an_instant_that_is_not_too_late() -> None:
    judged = stretches._judged_alone

    def late(*arguments: Any, **more: Any) -> Any:
        found, until = judged(*arguments, **more)
        return found, until if until == days.FOREVER else until + timedelta(microseconds=1)

    _replace(stretches, "_judged_alone", late)


def what_time_changes_happened_at_its_instant() -> None:
    """It happened when it was noticed."""
    settle = transitions.settle

    def noticed(*arguments: Any, now: Any, **more: Any) -> Any:
        outcome = settle(*arguments, now=now, **more)
        stays = [
            replace(stay, left_at=now) if (stay.left_cause or "").startswith("time:") else stay
            for stay in outcome.changed
        ]
        return replace(outcome, changed=stays)

    _replace(refreshing, "settle", noticed)


def a_stay_that_ends_is_told() -> None:
    _replace(changes, "changes_of", lambda stay: stays.changes_of(stay)[:1] if stay.rev == 1 else [])


def heads_are_read_in_batches() -> None:
    def one_by_one(shop: str, ids: Any, _: Any) -> Any:
        return {customer_id: customers.take_snapshot(shop, customer_id) for customer_id in ids}

    _replace(customers, "snapshots", one_by_one)


def nothing() -> None:
    """The figure watches the run itself: its plan is what SABOTAGE changes."""


GUARDS: Final[dict[str, Callable[[], None]]] = {
    "statistics_wrong": an_older_version_changes_nothing,
    "points_wrong": a_correction_posts_the_difference,
    "segments_wrong": time_has_a_timer,
    "touchpoints_wrong": what_a_visitor_did_is_brought_to_the_customer,
    "cells_wrong": a_correction_replaces_what_was_counted,
    "messages_doubled": a_message_met_while_it_is_sent_is_left,
    "events_waiting": what_was_waited_for_is_told,
    "poison_not_dead_lettered": a_dead_letter_is_whole,
    "dead_letters_unexpected": a_good_event_is_not_given_up,
    "redriven_not_applied_once": an_older_version_changes_nothing,
    "kills": nothing,
    "kill_points_missed": nothing,
    "most_kills_of_a_message": nothing,
    "creators_winning": an_identifier_has_one_holder,
    "creators_told_who_holds_it": an_identifier_has_one_holder,
    "creators_overlapping": nothing,
    "tenant_leaks": a_key_begins_with_its_tenant,
    "throttled_customers_wrong": a_refused_write_is_tried_again,
    "throttles_injected": nothing,
    "visitor_interleavings_wrong": the_earliest_identification_holds,
    "consent_races_wrong": a_head_is_what_was_read,
    "consent_writers_overlapping": nothing,
    "forged_tokens_accepted": a_signature_is_checked,
    "access_cells_wrong": a_customer_who_is_found_is_read_in_the_callers_shop,
    "versions_won_twice": a_profile_is_written_on_the_version_it_was_read_in,
    "bucket_overdrawn": a_bucket_is_charged_by_its_condition,
    "bulk_rows_wrong": a_step_that_was_not_sent_on_is_sent_on_by_whoever_comes_again,
    "rfm_wrong": those_who_share_a_value_share_the_lower_score,
    "oracle_differences": what_is_unknown_is_not_false,
    "oracle_early_changes": a_verdict_names_an_instant_that_is_not_too_late,
    "storm_memberships_wrong": time_has_a_timer,
    "storm_transitions_wrong": a_stay_that_ends_is_told,
    "storm_kills": nothing,
    "time_differences": what_time_changes_happened_at_its_instant,
    "sweep_requests_growth": nothing,
    "backfill_wrong": nothing,
    "backfill_requests": heads_are_read_in_batches,
    "oracle_members_share": nothing,
    "oracle_others_share": nothing,
    "redeemers_succeeding": an_account_is_what_was_read,
    "key_effects_wrong": a_movement_has_its_cause_once,
    "key_answers_differing": a_movement_has_its_cause_once,
    "keys_reused": a_key_stands_for_what_was_asked,
    "machine_differences": what_expires_first_is_spent_first,
    "stored_machine_differences": what_expires_first_is_spent_first,
    "conditions_surviving": nothing,
    "balances_wrong": a_correction_posts_the_difference,
    "orders_lost": every_order_is_posted,
    "orders_doubled": a_correction_posts_the_difference,
    "late_duplicates_doubled": what_came_before_changes_nothing,
    "workers_killed": nothing,
    "stock_redeemed": a_piece_is_taken_while_there_is_one,
    "budget_overspent": a_piece_is_taken_while_there_is_one,
    "edits_undetected": each_entry_names_the_one_before,
    "requests_growth": a_movement_reads_no_entries,
    "write_units_growth": an_account_says_no_more_however_much_it_has_done,
    "jwks_fetches_per_cooldown": keys_are_fetched_once_in_a_cool_down,
}


def in_worker(figure: str) -> None:
    GUARDS[figure.rpartition(".")[2]]()
