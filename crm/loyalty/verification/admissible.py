# crm/loyalty/verification/admissible.py
"""What an entry of each movement may say: its cause, the accounts it moves and which way, and what it is about. Pure.

Written by hand, beside what posts: `judging` finds by it what was posted wrongly, or forged with the right sums.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from crm.loyalty.ledger.chain import Entry

TOKENS: Final = {"<id>": r"(?P<id>.+)", "<any>": ".+", "<n>": r"\d+"}
"""Of causes and subjects; `<order>`, `<subject>` and `<claims>` are the entry's own, `<pool>` that of its only line."""


class Form(Struct, frozen=True):
    """`must` and `may` name accounts with the sign by which they move. `names`: what a reversal may be of; `<id>` is
    that of its own cause.
    """

    movement: str
    cause: str
    must: str
    may: str = ""
    subject: str = ""
    names: tuple[str, ...] = ()


INTO: Final = "available+ owed+"
"""What comes in pays what is owed first."""
BACK: Final = f"{INTO} expired+"
"""What comes back may have expired meanwhile."""
TAKEN_BACK: Final = "available- expired- owed-"
ORDER: Final = "order:<order>"
EARNED, SPENT = "order:<order>:earn:<n>", "order:<order>:spend:<n>"
EARNED_THEN, SPENT_THEN = "hold:<any>:earn", "hold:<any>:spend"
"""Of an order that was worked out anew when a hold for it was captured."""
EARNINGS: Final = (EARNED, EARNED_THEN)
SPENDINGS: Final = (SPENT, SPENT_THEN, "hold:<any>:capture")
GIFTS: Final = "adjustment:<any>:adjust"

FORMS: Final = (
    Form("earn", EARNED, "issued-", INTO),
    Form("earn", EARNED, "issued- pending+", subject=ORDER),
    Form("earn", EARNED_THEN, "issued-", INTO),
    Form("earn", EARNED_THEN, "issued- pending+", subject=ORDER),
    Form("earn", "account:enroll:signup", "issued-", INTO),
    Form("earn", "birthday:<n>:bonus", "issued-", INTO),
    Form("earn", "event:<any>:<any>", "issued-", INTO),
    Form("mature", "order:<order>:mature", "pending-", INTO, subject=ORDER),
    Form("hold", "<subject>:hold", "available- held+", subject="hold:<id>"),
    Form("capture", "<subject>:capture", "held- redeemed+", BACK, subject="hold:<id>"),
    Form("release", "<subject>:release", "held-", BACK, subject="hold:<id>"),
    Form("redeem", SPENT, "available- redeemed+"),
    Form("redeem", SPENT_THEN, "available- redeemed+"),
    Form("expire", "pool:<pool>:expire:<n>", "available- expired+"),
    Form("adjust", "adjustment:<id>:adjust", "adjusted-", INTO),
    Form("adjust", "adjustment:<id>:adjust", "adjusted+ available-"),
    Form("reverse", EARNED, "", f"issued+ {TAKEN_BACK}", names=EARNINGS),
    Form("reverse", EARNED, "issued+ pending-", TAKEN_BACK, subject=ORDER, names=EARNINGS),
    Form("reverse", EARNED_THEN, "", f"issued+ {TAKEN_BACK}", names=EARNINGS),
    Form("reverse", EARNED_THEN, "issued+ pending-", TAKEN_BACK, subject=ORDER, names=EARNINGS),
    Form("reverse", SPENT, "redeemed-", BACK, names=SPENDINGS),
    Form("reverse", SPENT_THEN, "redeemed-", BACK, names=SPENDINGS),
    Form("reverse", "<any>:claim:<claims>", "", f"issued+ adjusted+ {TAKEN_BACK}", names=(*EARNINGS, GIFTS)),
    Form("reverse", "redemption:<id>:cancel", "redeemed-", BACK, names=("hold:<id>:capture",)),
    Form("reverse", "hold:<id>:reverse", "redeemed-", BACK, names=("hold:<id>:capture",)),
    Form("reverse", "adjustment:<id>:reverse", "adjusted-", BACK, names=("adjustment:<id>:adjust",)),
    Form("reverse", "adjustment:<id>:reverse", "", f"adjusted+ {TAKEN_BACK}", names=("adjustment:<id>:adjust",)),
    Form("transfer", "<any>:transfer:<n>", "", "available* owed* transferred*"),
)
ISSUERS: Final = frozenset({"programme:issued", "programme:redeemed", "programme:adjusted"})
"""By what a reversal and what it reverses move, the other way."""


def is_admissible(entry: Entry) -> bool:
    return any(_fits(form, entry) for form in FORMS if form.movement == entry.movement) and _says_what_belongs(entry)


def issued_by(entry: Entry) -> Mapping[str, int]:
    """What an entry moves of the accounts of which there are reversals."""
    return {posting.account: posting.points for posting in entry.postings if posting.account in ISSUERS}


def _fits(form: Form, entry: Entry) -> bool:
    own = {"<order>": entry.order_id, "<subject>": entry.subject, "<claims>": str(entry.claims or "")}
    if len(entry.lines) == 1:
        own["<pool>"] = entry.lines[0].pool
    found = re.fullmatch(_pattern(form.cause, own), entry.cause, re.DOTALL)
    if found is None or not _moves(form, entry) or not _is_about(form, entry, own):
        return False
    own["<id>"] = found.groupdict().get("id")
    names = [_pattern(name, own) for name in form.names]
    return all(any(re.fullmatch(name, each.cause, re.DOTALL) for name in names) for each in entry.reverses)


def _pattern(template: str, own: Mapping[str, str | None]) -> str:
    """Nothing fits a token that the entry has no text for."""
    parts = re.split(r"(<\w+>)", template)
    return "".join(_token(part, own) if part.startswith("<") else re.escape(part) for part in parts)


def _token(name: str, own: Mapping[str, str | None]) -> str:
    text = own.get(name)
    return re.escape(text) if text else TOKENS.get(name, r"(?!)")


def _moves(form: Form, entry: Entry) -> bool:
    must, allowed = _signs(form.must), _signs(f"{form.must} {form.may}")
    moved = {posting.account.partition(":")[2]: posting.points for posting in entry.postings}
    return must.keys() <= moved.keys() and all(
        name in allowed and (allowed[name] == 0 or points * allowed[name] > 0) for name, points in moved.items()
    )


def _signs(named: str) -> dict[str, int]:
    return {each[:-1]: {"+": 1, "-": -1, "*": 0}[each[-1]] for each in named.split()}


def _is_about(form: Form, entry: Entry, own: Mapping[str, str | None]) -> bool:
    if not form.subject:
        return entry.subject is None
    return entry.subject is not None and re.fullmatch(_pattern(form.subject, own), entry.subject, re.DOTALL) is not None


def _says_what_belongs(entry: Entry) -> bool:
    """What only some movements say, they all do: when points mature and into which pool, when a hold ends, who is at
    the other side; and a reversal how much of what it reverses.
    """
    is_pending = any(posting.account == "customer:pending" and posting.points > 0 for posting in entry.postings)
    takes_back = entry.movement == "reverse" and not any(points < 0 for points in issued_by(entry).values())
    named = sum(each.points for each in entry.reverses)
    return (
        (entry.available_at is not None, entry.pool is not None) == (is_pending, is_pending)
        and (entry.ends_at is not None) == (entry.movement == "hold")
        and (entry.counterpart is not None) == (entry.movement == "transfer")
        and (not entry.claims or entry.cause.endswith(f":claim:{entry.claims}"))
        and (named == sum(map(abs, issued_by(entry).values())) if entry.movement == "reverse" else not entry.reverses)
        and (entry.forgiven >= 0 if takes_back else entry.forgiven == 0)
        and (_may_name_an_order(entry) if entry.order_id is not None else not _is_anew(entry))
    )


def _may_name_an_order(entry: Entry) -> bool:
    return (
        entry.movement in {"hold", "capture", "release"}
        or entry.cause.startswith(f"order:{entry.order_id}:")
        or _is_anew(entry)
        or entry.claims > 0
    )


def _is_anew(entry: Entry) -> bool:
    return re.fullmatch("hold:.+:(earn|spend)", entry.cause, re.DOTALL) is not None
