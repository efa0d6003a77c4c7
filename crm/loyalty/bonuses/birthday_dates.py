# crm/loyalty/bonuses/birthday_dates.py
"""When an account waits for its customer's birthday: as their profile says."""

from datetime import datetime

from crm.customers import service as customers
from crm.customers.service import Customer
from crm.kernel.change import Change
from crm.loyalty import maturing, repository, stored
from crm.loyalty.bonuses import birthdays
from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.posting import Ledger, decided
from crm.loyalty.programmes import in_force


def heard(shop: str, customer_id: str, *, now: datetime) -> bool:
    """Bring an account up to the birthday and the zone that the profile has; return whether there was anything to.

    Birthdays are waited for whatever the programme gives for them today: it may give something by then. Whatever order
    it is told in, the profile is read as it is. Raises NotFound for an unknown shop.
    """
    return decided(lambda: _heard(shop, customer_id, now=now))


def _heard(shop: str, customer_id: str, *, now: datetime) -> bool:
    heads = customers.take_snapshot(shop, customer_id)
    customer, head = heads.head(Customer), heads.head(LoyaltyAccount) or LoyaltyAccount.of(shop, customer_id)
    if customer is None:
        return False
    zone = customer.zone or in_force.programme(shop, now=now).zone
    if _told(head, customer, zone, now=now) == stored.birthday_of(head):
        return False
    head = maturing.opened(shop, customer_id, now=now)
    birthday = _told(head, customer, zone, now=now)
    if birthday and head.birthday is None and _was_celebrated(shop, customer_id, birthday):
        birthday = birthdays.after(birthday, zone=zone)
    if birthday == stored.birthday_of(head):
        return False
    stored.put_birthday(head, birthday)
    change = Change(now)
    change.unchanged(customer)  # who has changed it since is heard, and this is no news any more
    book = Ledger(shop, customer_id, head, now=now)
    book.write(change, book.read, [])
    change.commit()
    return True


def _was_celebrated(shop: str, customer_id: str, birthday: birthdays.Birthday) -> bool:
    """Of an account that was made to forget it: whether it had this year's."""
    return repository.get_entry(shop, customer_id, birthdays.cause_of(birthday.year)) is not None


def _told(head: LoyaltyAccount, customer: Customer, zone: str, *, now: datetime) -> birthdays.Birthday | None:
    return birthdays.told(stored.birthday_of(head), customer.birth_date, zone=zone, now=now)
