# tests/unit/loyalty/test_verification.py
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from crm.loyalty.expiry import Expiry
from crm.loyalty.ledger import movements
from crm.loyalty.ledger.chain import Balances, Entry, Posting, Reversed, fingerprint, reason_digest
from crm.loyalty.ledger.order_state import OrderState
from crm.loyalty.ledger.pools import Effect, Line, Portion
from crm.loyalty.programme import Shortfall
from crm.loyalty.verification import admissible, beside
from crm.loyalty.verification.judging import Finding, Flaw, Stored, verify
from tests.unit.loyalty.book import START, Book

Edit = Callable[[random.Random, list[Entry], Stored], tuple[list[Entry], Stored]]


def busy() -> Book:
    """A ledger in which everything has happened."""
    given = Book(expiry=Expiry(1), return_window_days=3)
    given.adjust(200)
    given.order("o1", gross=10_000, points_spent=40)
    given.wait(days=4)
    given.order("o1", gross=10_000, points_spent=40, refunded=5_000)
    given.order("o2", gross=6_000)
    spent = given.redeem(90)
    given.hold(20, "h1")
    given.hold(30, "h2", hours=400, order_id="o9")
    given.reverse(spent)
    given.capture("h1", 5)
    given.wait(days=2)
    given.order("o2", gross=6_000, cancelled=True)
    given.wait(days=20)
    given.order("o3", gross=3_000)
    given.hold(10, "h3", hours=100)
    given.wait(days=30)
    given.order("o1", gross=10_000, points_spent=40, cancelled=True)
    given.order("o4", gross=2_000)
    given.hold(15, "h4", hours=100)
    given.order("o5", gross=50_000)
    given.wait(days=4)
    given.hold(given.balances[0], "h5", hours=1_000)
    given.programme = replace(given.programme, shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o5", gross=50_000, cancelled=True)
    given.capture("h5", 400)
    given.order("o6", gross=2_000)
    return given


def stored(given: Book) -> Stored:
    """Holds that are closed are as entries say; the book keeps those that are open."""
    kept = {
        name: beside.Hold(
            points=one.points,
            ends_at=one.ends_at,
            order_id=one.order_id,
            portions=portions_of(one.portions),
            number=one.number,
        )
        for name, one in given.holds.items()
    }
    closed = {name: hold for name, hold in beside.holds(given.entries).items() if not hold.is_open}
    return Stored(
        shop="demo", customer_id="cus_1", number=given.account.number, fingerprint=given.account.fingerprint,
        balances=given.account.balances,
        lifetime_earned=-sum(
            posting.points
            for entry in given.entries
            for posting in entry.postings
            if posting.account == "programme:issued"
        ),
        fingerprints={entry.cause: fingerprint(entry) for entry in given.entries},
        pools={name: (one.credited, one.taken, one.expired) for name, one in given.account.pools.items()},
        orders={name: kept_of(state) for name, state in given.orders.items()},
        holds={**closed, **{f"hold:{name}": hold for name, hold in kept.items()}},
        open={f"hold:{name}": hold for name, hold in kept.items()},
        pardons={one.number: beside.Pardon(one.points, one.order_id, one.credit) for one in given.account.pardons},
        times=beside.times(given.entries), due_at=given.now,
    )  # fmt: skip


def portions_of(portions: Sequence[Portion]) -> beside.Portions:
    return tuple((each.pool, each.points) for each in portions)


def kept_of(state: OrderState) -> beside.Order:
    return beside.Order(
        rev=state.rev, earned=state.earned, forgiven=state.forgiven, pending=state.pending,
        available_at=state.available_at, pool=state.pool, pools=state.pools,
        credits=tuple((one.cause, one.points) for one in state.credits), spent=state.spent, short=state.short,
        captured=state.captured,
        spendings=tuple((one.cause, one.number, portions_of(one.portions)) for one in state.spendings),
    )  # fmt: skip


def flaws(entries: list[Entry], is_stored: Stored) -> set[Flaw]:
    return {finding.flaw for finding in verify(entries, is_stored)}


def test_a_ledger_that_is_as_it_was_posted_has_no_flaw_in_whatever_order_it_is_read() -> None:
    given = busy()
    movements = {entry.movement for entry in given.entries}
    assert movements >= {"earn", "mature", "hold", "capture", "release", "redeem", "expire", "adjust", "reverse"}
    shuffled = random.Random(1).sample(given.entries, len(given.entries))  # noqa: S311
    assert verify(shuffled, stored(given)) == []


def test_what_is_claimed_because_an_order_gives_points_back_is_no_revision_of_an_order() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order("o1", gross=10_000)
    given.order("o2", gross=100, points_spent=100)
    given.order("o1", gross=10_000, cancelled=True)
    given.order("o2", gross=100, points_spent=0)
    assert any(entry.cause.startswith("order:o2:spend:2:claim:") for entry in given.entries)
    assert verify(given.entries, stored(given)) == []


def test_an_account_without_entries_has_no_flaw() -> None:
    assert verify([], Stored(shop="demo", customer_id="cus_1")) == []


def test_an_entry_of_another_account_is_out_of_place() -> None:
    given = busy()
    assert Flaw.OUT_OF_PLACE in flaws([*given.entries[:-1], replace(given.entries[-1], shop="other")], stored(given))


def rechained(entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    """As somebody would leave it who knows how fingerprints are made, and makes all of them anew."""
    before, anew = "", []
    for number, entry in enumerate(entries, start=1):
        anew.append(replace(entry, number=number, previous=before))
        before = fingerprint(anew[-1])
    fingerprints = {entry.cause: fingerprint(entry) for entry in anew}
    return anew, replace(is_stored, number=len(anew), fingerprint=before, fingerprints=fingerprints)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda entry: replace(entry, postings=entry.postings[:1]), Flaw.UNBALANCED),
        (lambda entry: replace(entry, postings=(*entry.postings, Posting("x", 0))), Flaw.UNBALANCED),
        (lambda entry: replace(entry, lines=()), Flaw.UNBALANCED),
        (lambda entry: replace(entry, after=Balances(1, 2, 3, 4)), Flaw.WRONG_BALANCE),
        (lambda entry: replace(entry, lines=(Line(Effect.CREDIT, "never", 200, 0),)), Flaw.WRONG_REMAINING),
        (lambda entry: replace(entry, reverses=(Reversed("nothing", 1),)), Flaw.WRONG_REVERSAL),
    ],
)
def test_sums_are_worked_out_anew_whatever_the_fingerprints_say(change: Callable[[Entry], Entry], flaw: Flaw) -> None:
    given = busy()
    entries, is_stored = rechained([change(given.entries[0]), *given.entries[1:]], stored(given))
    assert flaw in flaws(entries, is_stored)


def test_a_reversal_of_more_than_there_was_is_found_whatever_the_fingerprints_say() -> None:
    given = busy()
    place = next(number for number, entry in enumerate(given.entries) if entry.reverses)
    entry = given.entries[place]
    more = replace(entry, reverses=(Reversed(entry.reverses[0].cause, entry.reverses[0].points + 1_000),))
    entries, is_stored = rechained([*given.entries[:place], more, *given.entries[place + 1 :]], stored(given))
    assert Finding(Flaw.WRONG_REVERSAL, more.cause) in verify(entries, is_stored)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"balances": Balances(1_000_000)}, Flaw.WRONG_BALANCE),
        ({"lifetime_earned": 1_000_000}, Flaw.WRONG_BALANCE),
        ({"pools": {}}, Flaw.WRONG_REMAINING),
        ({"orders": {}}, Flaw.WRONG_PENDING),
        ({"orders": {}}, Flaw.WRONG_ORDER),
        ({"holds": {}}, Flaw.WRONG_HOLD),
        ({"open": {}}, Flaw.WRONG_HOLD),
        ({"holds": {"hold:h9": beside.Hold(points=5, ends_at=START)}}, Flaw.WRONG_HOLD),
        ({"misfiled": frozenset({"never"}), "pools": {"never": (0, 0, 0)}}, Flaw.WRONG_REMAINING),
        ({"times": beside.Times()}, Flaw.WRONG_TIME),
        ({"due_at": None}, Flaw.WRONG_TIME),
        ({"pardons": {3: beside.Pardon(1)}}, Flaw.WRONG_PARDON),
        ({"number": 3}, Flaw.TRUNCATED),
        ({"fingerprint": "x"}, Flaw.TRUNCATED),
    ],
)
def test_what_is_kept_beside_the_entries_must_be_what_they_come_to(change: dict[str, Any], flaw: Flaw) -> None:
    given = busy()
    assert flaw in flaws(given.entries, replace(stored(given), **change))


def test_a_survivor_was_active_when_who_was_merged_into_them_was_and_no_later() -> None:
    given = busy()
    own = stored(given).times
    later = given.now + timedelta(days=1)
    survivor = replace(stored(given), times=replace(own, active_at=later), taken_over_at=later)
    assert verify(given.entries, survivor) == []
    for forged in (None, START, later - timedelta(seconds=1)):
        assert verify(given.entries, replace(survivor, taken_over_at=forged)) == [Finding(Flaw.WRONG_TIME, "account")]
    assert verify(given.entries, replace(stored(given), taken_over_at=START)) == []


def test_what_may_be_claimed_is_what_was_forgiven_and_not_claimed() -> None:
    given = busy()
    [pardon] = given.account.pardons
    claimed = next(entry for entry in given.entries if entry.claims)
    assert claimed.cause == f"hold:h5:capture:claim:{pardon.number}"
    right, of_order = stored(given), Finding(Flaw.WRONG_PARDON, "order:o5")
    kept, own = right.pardons[pardon.number], Finding(Flaw.WRONG_PARDON, str(pardon.number))
    for forged, found in (
        (0, [own, of_order]), (1, [of_order]), (kept.points - 1, [of_order]), (kept.points + 1, [own, of_order]),
    ):  # fmt: skip
        edited = replace(right, pardons={pardon.number: replace(kept, points=forged)})
        assert verify(given.entries, edited) == found
    assert verify(given.entries, replace(right, pardons={})) == [of_order]
    for said in ({"order_id": "o6"}, {"order_id": "gone"}, {"order_id": None}, {"credit": "adjustment:a1:adjust"}):
        edited = replace(right, pardons={pardon.number: replace(kept, **said)})
        assert own in verify(given.entries, edited)
    another = [replace(entry, forgiven=entry.forgiven and 1) for entry in given.entries]
    entries, is_stored = rechained(another, right)
    assert Finding(Flaw.WRONG_PARDON, claimed.cause) in verify(entries, is_stored)


def test_what_was_forgiven_of_a_gift_is_not_lost_nor_made_another_gifts() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    gift = given.adjust(100)
    other = given.adjust(10, "adjustment:a2:adjust")
    spent = given.redeem(110)
    given.reverse(gift)
    right, [pardon] = stored(given), given.account.pardons
    wrong = [Finding(Flaw.WRONG_PARDON, str(pardon.number))]
    assert verify(given.entries, right) == []
    kept = right.pardons[pardon.number]
    for forged in (
        {}, {pardon.number: replace(kept, points=99)}, {pardon.number: replace(kept, credit=other.cause)},
        {pardon.number: replace(kept, order_id="o1")},
    ):  # fmt: skip
        assert verify(given.entries, replace(right, pardons=forged))[:1] == wrong
    given.reverse(spent)
    assert verify(given.entries, stored(given)) == []


def test_who_has_had_more_pardons_than_are_kept_may_lack_some() -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    for number in range(11):
        given.order(f"o{number}", gross=10_000 + 100 * number)
        given.redeem(100 + number, f"redemption:r{number}:redeem")
        given.order(f"o{number}", gross=10_000, cancelled=True)
        assert verify(given.entries, stored(given)) == []
        has_lost_one = replace(stored(given), pardons=dict(list(stored(given).pardons.items())[1:]))
        assert bool(verify(given.entries, has_lost_one)) is (number < 10)
    assert len(given.account.pardons) == 10


@pytest.mark.parametrize(
    "order_id", ["a:claim:b", "a:claim:7", "1:claim:1", "x:earn:3", "o:claim:1:earn", "hold:h:spend"]
)
def test_whatever_an_order_is_called_its_ledger_is_found_to_be_right(order_id: str) -> None:
    given = Book(shortfall=Shortfall.WITHIN_BALANCE)
    given.order(order_id, gross=10_000)
    spent = given.redeem(60)
    given.order(order_id, gross=10_000, refunded=10_000)
    given.reverse(spent)
    given.order(order_id, gross=5_000, points_spent=10)
    assert [entry.claims for entry in given.entries if entry.claims] == [4]
    assert verify(given.entries, stored(given)) == []


def test_only_what_claims_says_so_and_what_says_so_claims() -> None:
    given = busy()
    claimed = next(entry for entry in given.entries if entry.claims)
    for changed_ in ({"claims": 0}, {"claims": claimed.claims - 1}, {"cause": claimed.cause.replace(":claim", "")}):
        assert not admissible.is_admissible(replace(claimed, **changed_))
    earned = given.entries[1]
    assert not admissible.is_admissible(replace(earned, claims=3))


def forged(order_id: str, **moved: Any) -> list[Finding]:
    """What is found of the order once its numbers say so much more, or what is no number something else."""
    given = busy()
    right = stored(given)
    kept = right.orders[order_id]
    said = {name: getattr(kept, name) + more if isinstance(more, int) else more for name, more in moved.items()}
    return verify(given.entries, replace(right, orders={**right.orders, order_id: replace(kept, **said)}))


def test_no_order_was_forgiven_more_than_entries_forgave() -> None:
    assert Finding(Flaw.WRONG_ORDER, "order:o6") in forged("o6", earned=-5, forgiven=5)


def test_no_order_was_paid_with_less_than_no_points_that_were_not_there() -> None:
    assert forged("o1", spent=-5, short=-5) == [Finding(Flaw.WRONG_ORDER, "order:o1")]


def test_an_orders_points_mature_when_its_entry_says() -> None:
    later = START + timedelta(days=400)
    assert Finding(Flaw.WRONG_ORDER, "order:o4") in forged("o4", available_at=later)
    assert Finding(Flaw.WRONG_ORDER, "order:o4") in forged("o4", available_at=None)


def test_an_order_is_of_no_earlier_revision_than_its_entries() -> None:
    assert forged("o5", rev=-1) == [Finding(Flaw.WRONG_ORDER, "order:o5")]
    assert forged("o5", rev=1) == []  # a revision that changes nothing posts nothing


def test_what_claims_follows_what_came_back() -> None:
    given = busy()
    place, claimed = next((place, entry) for place, entry in enumerate(given.entries) if entry.claims)
    elsewhere = replace(claimed, cause=claimed.cause.replace("h5:capture", "h5:release"))
    entries, is_stored = rechained([*given.entries[:place], elsewhere, *given.entries[place + 1 :]], stored(given))
    assert Finding(Flaw.WRONG_PARDON, elsewhere.cause) in verify(entries, is_stored)


def test_only_an_order_is_worked_out_anew_when_a_hold_is_captured() -> None:
    given = Book()
    given.order("o1", gross=10_000)
    anew = replace(given.entries[0], cause="hold:h1:earn")
    assert admissible.is_admissible(anew)
    assert not admissible.is_admissible(replace(anew, order_id=None))


def test_words_of_a_reason_that_were_changed_are_found_and_words_that_were_erased_are_not() -> None:
    given = Book()
    occasion = given.occasion("adjustment:a1:adjust", reason_digest=reason_digest("A late parcel", "salt"))
    given.take(movements.adjust(given.account, 5, pool=given.pool(), occasion=occasion))
    assert verify(given.entries, stored(given)) == []
    for words, findings in (
        ("A late parcel", []),
        ("For a friend", [Finding(Flaw.WRONG_REASON, "adjustment:a1:adjust")]),
    ):
        found = replace(stored(given), reasons={"adjustment:a1:adjust": reason_digest(words, "salt")})
        assert verify(given.entries, found) == findings


# --- random edits

LIKE = {
    "postings": Posting("customer:held", 1), "lines": Line(Effect.TAKE, "never", 1),
    "reverses": Reversed("adjustment:a1:adjust", 1),
}  # fmt: skip


def changed(draw: random.Random, entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    """One field of one entry says something else."""
    place = draw.randrange(len(entries))
    entry = entries[place]
    name = draw.choice(sorted(asdict(entry)))
    return [
        *entries[:place],
        replace(entry, **{name: _other(draw, name, getattr(entry, name))}),
        *entries[place + 1 :],
    ], is_stored


def deleted(draw: random.Random, entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    place = draw.randrange(len(entries))
    return [*entries[:place], *entries[place + 1 :]], is_stored


def swapped(draw: random.Random, entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    """Two entries change places: each says the other's number."""
    one, other = draw.sample(range(len(entries)), 2)
    exchanged = list(entries)
    exchanged[one] = replace(entries[other], number=entries[one].number)
    exchanged[other] = replace(entries[one], number=entries[other].number)
    return exchanged, is_stored


def truncated(draw: random.Random, entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    return entries[: draw.randrange(len(entries))], is_stored


def refingerprinted(draw: random.Random, entries: list[Entry], is_stored: Stored) -> tuple[list[Entry], Stored]:
    """One field says something else, and the entry's own fingerprint is made anew."""
    edited, _ = changed(draw, entries, is_stored)
    return edited, replace(is_stored, fingerprints={entry.cause: fingerprint(entry) for entry in edited})


def _other(draw: random.Random, name: str, value: Any) -> Any:
    match value:
        case bool() | None:
            return "something" if value is None else not value
        case int() | str():
            return f"{value}x" if isinstance(value, str) else value + draw.choice([-1, 1, 1000])
        case tuple():
            fewer = value and draw.randrange(2)
            return value[1:] if fewer else (*value, value[0] if value else LIKE[name])
        case Balances():
            return replace(value, held=value.held + 1)
        case _:
            return value.replace(microsecond=(value.microsecond + 1) % 1_000_000)


@pytest.mark.parametrize("edit", [changed, deleted, swapped, truncated, refingerprinted])
def test_every_edit_deletion_swap_and_truncation_of_entries_is_found(edit: Edit) -> None:
    given = busy()
    draw = random.Random(7)  # noqa: S311
    for _ in range(100):
        entries, is_stored = edit(draw, given.entries, stored(given))
        assert verify(entries, is_stored), [one for one in entries if one not in given.entries]


def test_how_often_a_bonus_was_given_is_counted_anew() -> None:
    book = Book()
    for number in range(2):
        occasion = book.occasion(f"event:e{number}:ebn_1")
        book.take(movements.earn(book.account, 10, pool="never", occasion=occasion))
    right = stored(book)
    tallies: list[Mapping[str, Mapping[str | None, int]]] = [
        {"ebn_1": {None: 2}}, {"ebn_1": {None: 2, "2026-03-10": 1}}, {}, {"ebn_1": {None: 1}},
        {"ebn_1": {None: 2, "2026-03-10": 3}}, {"ebn_1": {None: 2}, "ebn_2": {None: 1}},
    ]  # fmt: skip
    found = [flaws(book.entries, replace(right, tallies=each)) for each in tallies]
    assert found == [set(), set(), *[{Flaw.WRONG_TALLY}] * 4]


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("order:o1:earn:1", {"cause": "hold:h1:release"}),
        ("order:o1:earn:1", {"cause": "order:o9:earn:1"}),
        ("order:o1:earn:1", {"movement": "redeem"}),
        ("order:o1:earn:1", {"subject": "order:o2"}),
        ("order:o1:earn:1", {"available_at": None}),
        ("order:o1:earn:1", {"forgiven": 5}),
        ("order:o1:earn:1", {"counterpart": "cus_2"}),
        ("order:o1:earn:1", {"postings": (Posting("customer:pending", 99), Posting("programme:adjusted", -99))}),
        ("order:o1:earn:2", {"reverses": ()}),
        ("hold:h1:hold", {"ends_at": None}),
        ("hold:h1:hold", {"cause": "hold:h9:hold"}),
        ("redemption:rdn_r1:cancel", {"reverses": (Reversed("hold:rdn_r2:capture", 90),)}),
        ("adjustment:a1:adjust", {"order_id": "o1"}),
    ],
)
def test_what_no_movement_says_is_found_whatever_the_sums_say(place: str, change: dict[str, Any]) -> None:
    given = busy()
    entry = next(entry for entry in given.entries if entry.cause == place)
    assert admissible.is_admissible(entry)
    assert not admissible.is_admissible(replace(entry, **change))


def test_a_reversal_that_names_nothing_and_one_that_was_recorded_too_early_are_found() -> None:
    given = busy()
    places = {entry.cause: place for place, entry in enumerate(given.entries)}
    for cause, change, flaw in (
        ("order:o1:earn:2", {"reverses": ()}, Flaw.WRONG_MOVEMENT),
        ("order:o1:earn:2", {"reverses": (Reversed("order:o1:spend:1", 50),)}, Flaw.WRONG_REVERSAL),
        ("hold:rdn_r1:capture", {"recorded_at": START}, Flaw.OUT_OF_PLACE),
    ):
        forged = [*given.entries]
        forged[places[cause]] = replace(forged[places[cause]], **change)
        assert Finding(flaw, cause) in verify(*rechained(forged, stored(given)))


def test_a_transfer_is_as_many_points_on_both_sides() -> None:
    given, other = Book(), Book(customer_id="cus_2")
    given.adjust(100)
    given.transfer(other, "m1")
    right = stored(given)
    found = [flaws(given.entries, replace(right, transferred=each)) for each in ({}, {"merge:m1:transfer:1": -90})]
    assert found == [{Flaw.WRONG_TRANSFER}] * 2
    assert flaws(given.entries, replace(right, transferred={"merge:m1:transfer:1": -100})) == set()
