# crm/segmentation/keeping.py
"""How memberships are kept as segments mean. A door of its own: who does nothing else loads neither the walks over all
customers nor what is counted of them (docs/decisions/0075).
"""

from crm.segmentation.defining import attribute_changed, shop_changed
from crm.segmentation.refreshing import refresh, wake
from crm.segmentation.touching import TOUCHED_BY, CustomerEvent, touched
from crm.segmentation.transitions import Interval

__all__ = [
    "TOUCHED_BY",
    "CustomerEvent",
    "Interval",
    "attribute_changed",
    "refresh",
    "shop_changed",
    "touched",
    "wake",
]  # fmt: skip
