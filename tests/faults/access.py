# tests/faults/access.py
"""Every field x role x tenant of the committed SDL, asked of the real schema in two shops that are alike but for what
they say.
"""

from typing import Final

from bench.figures import Report
from tests.faults import in_process

(WRONG,) = FIGURES = ("gateway.access_cells_wrong",)
SHOPS: Final = ("demo", "other")


def run(report: Report, sabotage: str) -> None:
    for shop in SHOPS:
        in_process.found_shop(shop, zone="Europe/Vienna", currency="EUR")
    from tests.access_matrix import CELLS, wrong_cells
    from tests.two_shops import furnish

    furnish()
    if sabotage:
        from tests.faults.sabotage import in_worker

        in_worker(sabotage)
    wrong = wrong_cells()
    print(f"wrong: {wrong[:5]}", flush=True)
    report.tell(WRONG, len(wrong), n=CELLS)
