# crm/customers/by_hand.py
"""What is refused to a person who types it: an event that says so is taken, without what is of no use in it."""

from collections.abc import Iterable

from msgspec.structs import replace

from crm.customers import identifiers, profile, snapshot
from crm.customers.identity import Claims, Words
from crm.customers.models import Customer
from crm.customers.refusals import IdentifierTaken
from crm.customers.standing import is_hidden
from crm.kernel import texts
from crm.kernel.errors import Fault

NAMING = ("email", "phone", "first_name", "last_name")
STANDS_FOR_NOBODY = "stands for nobody"


def refuse_taken(shop: str, words: Words, claims: Claims) -> None:
    """To a person an identifier that is another's is refused; an event records the conflict. Raises IdentifierTaken."""
    another = [*claims.resolution.conflicting, *claims.resolution.taken_over]
    if not another:
        return
    fields = {
        f"{identifiers.EXTERNAL}:{source}": f"external_ids.{index}" for index, source in enumerate(words.external_ids)
    }
    holders = snapshot.read_many(shop, {claims.held[claim].customer_id for claim in another}, [Customer])
    taken: list[IdentifierTaken] = []
    for claim in another:
        kind, field = "external id" if claim.is_external else claim.kind, fields.get(claim.kind, claim.kind)
        holder = claims.held[claim].customer_id
        profile = holders[holder].head(Customer)
        hidden = profile is not None and is_hidden(profile)
        taken.append(IdentifierTaken(kind=kind, customer_id=holder, hidden=hidden, field=field, others=taken[:]))
    raise taken[-1]


def nameless(words: Words) -> list[Fault]:
    """A record founded by hand says who it is about; an event may be about somebody of whom nothing is known yet."""
    if words.external_ids or any(words.fields.get(name) is not None for name in NAMING):
        return []
    message = "must have an e-mail address, a phone number, an external id or a name"
    return [Fault("", "REQUIRED", message)]


def unusable(words: Words) -> list[Fault]:
    """Identifiers given by hand that could identify nobody: a person should hear of it, an event should not."""
    email, phone = words.fields.get("email"), words.fields.get("phone")
    faults = []
    if email and identifiers.matching_email(email) and not identifiers.email(email, verified=False):
        faults.append(Fault("email", "BLOCKED", STANDS_FOR_NOBODY))
    if phone and not identifiers.matching_phone(phone):
        faults.append(Fault("phone", "INVALID", "must be a phone number with its country, such as +491701234567"))
    elif phone and not identifiers.phone(phone):
        faults.append(Fault("phone", "BLOCKED", STANDS_FOR_NOBODY))
    return [*faults, *faults_of_external_ids(words.external_ids.items())]


def faults_of_external_ids(given: Iterable[tuple[str, str]]) -> list[Fault]:
    """Everything wrong with ids of other systems, by their place; a system has one id for a customer."""
    found, sources = [], set()
    for index, (source, value) in enumerate(given):
        if source in sources:
            found.append(Fault(f"external_ids.{index}.source", "DUPLICATE", "must be unlike those before it"))
        sources.add(source)
        found += [replace(fault, path=f"external_ids.{index}.{fault.path}") for fault in _of_external(source, value)]
    return found


def _of_external(source: str, value: str) -> Iterable[Fault]:
    if not identifiers.SOURCE.fullmatch(source):
        yield Fault("source", "INVALID", "must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores")
    elif wrong := texts.faults("value", value, longest=profile.MOST_CHARACTERS):
        yield from wrong
    elif identifiers.external(source, value) is None:
        yield Fault("value", "BLOCKED", STANDS_FOR_NOBODY)
