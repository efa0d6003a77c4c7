# tests/unit/kernel/test_service_models.py
import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from crm.kernel import service_models

THEIRS = Loader()


def loader() -> Loader:
    found = botocore.session.get_session().get_component("data_loader")
    assert isinstance(found, service_models.Services)
    return found


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_services_are_described_as_botocore_describes_them(service: str) -> None:
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        assert loader().load_service_model(service, kind) == THEIRS.load_service_model(service, kind)
    assert loader().load_data("endpoints") == THEIRS.load_data("endpoints")


def test_the_services_that_are_there_are_botocores() -> None:
    assert loader().list_available_services("service-2") == THEIRS.list_available_services("service-2")


def test_a_service_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataNotFoundError):
        loader().load_service_model("carrier-pigeons", "service-2")
    with pytest.raises(DataNotFoundError):
        loader().load_service_model("dynamodb", "carrier-pigeons")


def test_descriptions_of_ones_own_are_read_where_botocore_is_told_to(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("models")
    described = folder / "pigeons" / "2026-01-01"
    described.mkdir(parents=True)
    (described / "service-2.json").write_text('{"metadata": {}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(folder))

    assert loader().load_service_model("pigeons", "service-2") == {"metadata": {}}
    assert "dynamodb" in loader().list_available_services("service-2")
