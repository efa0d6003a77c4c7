# tests/unit/infra/test_instance.py
import pytest

from infra.local.instance import Instance


@pytest.mark.parametrize(("said", "port"), [(None, 8000), ("", 8000), ("8017", 8017)])
def test_the_gateway_has_its_usual_port_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, said: str | None, port: int
) -> None:
    monkeypatch.delenv("CRM_PORT", raising=False)
    if said is not None:
        monkeypatch.setenv("CRM_PORT", said)
    assert Instance.chosen().port == port
