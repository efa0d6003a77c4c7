# tests/contract/test_packages.py
"""What a function is made of stays small, because every cold start fetches it and unpacks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.package import BUNDLES, FROM_RUNTIME, MB, ROOT, Bundle, installed_sizes, requirements, source_files
from tests.contract.stack import of_type


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_a_bundle_stays_within_its_budget(bundle: Bundle) -> None:
    sizes = installed_sizes(bundle)
    largest = sorted(sizes.items(), key=lambda size: -size[1])[:3]
    assert sum(sizes.values()) <= bundle.budget, f"largest: {largest}"


def test_the_budgets_are_those_ordered() -> None:
    assert {bundle.name: bundle.budget / MB for bundle in BUNDLES} == {"functions": 15, "gateway": 50}


def test_what_the_runtime_brings_is_not_shipped() -> None:
    for bundle in BUNDLES:
        assert FROM_RUNTIME.isdisjoint(requirement.name for requirement, _ in requirements(bundle.lock))


def test_functions_ship_no_graphql_and_no_web_framework() -> None:
    functions, _ = BUNDLES
    names = {requirement.name for requirement, _ in requirements(functions.lock)}
    assert names.isdisjoint({"strawberry-graphql", "graphql-core", "starlette", "mangum"})


def test_every_dependency_is_locked_with_its_hashes_and_without_an_address() -> None:
    for bundle in BUNDLES:
        assert "://" not in "\n".join(
            line for line in bundle.lock.read_text().splitlines() if not line.lstrip().startswith("#")
        )
        for requirement, entry in requirements(bundle.lock):
            assert str(requirement.specifier).startswith("==")
            assert "--hash=sha256:" in entry


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_a_bundle_holds_code_of_its_rooms_and_no_tests_or_local_state(bundle: Bundle) -> None:
    files = list(source_files(bundle))
    assert {path.parts[0] for path in files} == set(bundle.packages)
    assert not [path for path in files if {"tests", "docs", ".local", "__pycache__"}.intersection(path.parts)]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_the_handlers_of_a_bundle_import_from_it_alone(bundle: Bundle, tmp_path: Path) -> None:
    for path in source_files(bundle):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / path)
    modules = [
        function["Handler"].rpartition(".")[0]
        for function in of_type("AWS::Lambda::Function").values()
        if function["Code"]["S3Key"] == f"build-{bundle.name}"
    ]
    asked = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    done = subprocess.run(
        [sys.executable, "-c", asked, *modules], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
