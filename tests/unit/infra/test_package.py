# tests/unit/infra/test_package.py
from pathlib import Path

from infra.package import is_shipped, requirements

LOCK = """\
--only-binary :all:
# a comment
boto3==1.44.5 \\
    --hash=sha256:aa
tomli==2.0.0 ; python_full_version < '3.11' \\
    --hash=sha256:bb
typing-extensions==4.16.0 \\
    --hash=sha256:cc \\
    --hash=sha256:dd
"""


def test_a_bundle_takes_what_its_runtime_needs_and_does_not_bring(tmp_path: Path) -> None:
    lock = tmp_path / "functions.txt"
    lock.write_text(LOCK)
    ((requirement, entry),) = requirements(lock)
    assert str(requirement) == "typing-extensions==4.16.0"
    assert entry.count("--hash=sha256:") == 2


def test_tests_compiled_files_and_scripts_stay_behind() -> None:
    assert is_shipped(Path("crm/orders/service.py"))
    assert is_shipped(Path("schema/events/order.placed.json"))
    assert not is_shipped(Path("rpds/tests/test_rpds.py"))
    assert not is_shipped(Path("crm/__pycache__/table.pyc"))
    assert not is_shipped(Path("../../../bin/jp.py"))
