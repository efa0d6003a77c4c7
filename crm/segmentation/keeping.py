# crm/segmentation/keeping.py
"""How memberships are kept as segments mean. A door of its own: who does nothing else loads neither the walks over all
customers nor what is counted of them (docs/decisions/0075).
"""

from crm.segmentation.defining import attribute_changed, shop_changed
from crm.segmentation.refreshing import bring_up, refresh, wake
from crm.segmentation.touching import EVERYTHING, NOTHING, TOUCHED_BY, CustomerEvent, Touched, touched
from crm.segmentation.transitions import Interval

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "TOUCHED_BY",
    "CustomerEvent",
    "Interval",
    "Touched",
    "attribute_changed",
    "bring_up",
    "refresh",
    "shop_changed",
    "touched",
    "wake",
]  # fmt: skip
