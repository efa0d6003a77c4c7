# tests/unit/kernel/test_remembered.py
from concurrent.futures import ThreadPoolExecutor

from crm.kernel.remembered import Remembered


def test_the_shops_that_were_asked_about_last_are_remembered() -> None:
    known = Remembered[int](most=3)
    for number, shop in enumerate("abc"):
        known.keep(shop, number)
    assert known.get("a") == 0
    known.keep("b", 7)
    known.keep("d", 3)
    assert [known.get(shop) for shop in "abcd"] == [0, 7, None, 3]


def test_what_is_kept_anew_takes_the_place_of_what_was() -> None:
    known = Remembered[int](most=1)
    known.keep("a", 1)
    known.keep("a", 2)
    assert known.get("a") == 2


def test_one_shop_is_forgotten_or_all() -> None:
    known = Remembered[int]()
    known.keep("a", 1)
    known.keep("b", 2)
    known.forget("a")
    known.forget("nowhere")
    assert (known.get("a"), known.get("b")) == (None, 2)
    known.forget()
    assert known.get("b") is None


def test_several_threads_remember_at_once() -> None:
    known = Remembered[int](most=5)

    def works(number: int) -> bool:
        shop = str(number % 9)
        known.keep(shop, number % 9)
        if number % 7 == 0:
            known.forget(shop)
        return known.get(shop) in {None, number % 9}

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(works, range(2_000)))
    assert sum(known.get(str(number)) is not None for number in range(9)) <= 5
