# crm/loyalty/walks.py
"""The steps of loyalty's operations. A door of its own: who does any operation's steps loads nothing that moves points
(docs/decisions/0075).
"""

from collections.abc import Mapping
from typing import Final

from crm.kernel.operations import Step
from crm.loyalty.programmes.begun import SETTLE
from crm.loyalty.tiers import walking
from crm.loyalty.verification import auditing

STEPS: Final[Mapping[str, Step]] = {SETTLE: walking.step, auditing.VERIFICATION: auditing.step}
