# infra/package.py
"""`python -m infra.package`: the two bundles that template.yaml's CodeUri names, built from the repository root.

A bundle is its source packages and the locked dependencies for the runtime that the template names, nothing else: no
tests, no docs, no local state, and no boto3, which the runtime brings.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackagePath, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
FROM_RUNTIME: Final = frozenset({"boto3", "botocore", "s3transfer"})
MB: Final = 1_000_000
PYTHON: Final = "3.13"
# Amazon Linux 2023 has glibc 2.34; pip takes the platforms as given and derives none.
PLATFORMS: Final = [f"manylinux{tag}_aarch64" for tag in ("2014", "_2_17", "_2_28", "_2_34")]
TARGET: Final = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "platform_machine": "aarch64"}
LEFT_OUT: Final = frozenset({"__pycache__", "tests", "bin"})


@dataclass(frozen=True)
class Bundle:
    name: str
    packages: tuple[str, ...]
    budget: int
    """Bytes, unzipped, without what the runtime brings: a cold start fetches and unpacks every one of them."""

    @property
    def lock(self) -> Path:
        return ROOT / "requirements" / f"{self.name}.txt"


BUNDLES: Final = (
    Bundle("functions", ("crm", "functions"), 15 * MB),
    Bundle("gateway", ("crm", "schema", "api"), 50 * MB),
)


def requirements(lock: Path) -> Iterator[tuple[Requirement, str]]:
    """What a lock names for the bundle, each with its lines (which carry the hashes)."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text())
    for entry in entries:
        text = entry.split("\\")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        requirement = Requirement(text)
        if requirement.name in FROM_RUNTIME or (requirement.marker and not requirement.marker.evaluate(TARGET)):
            continue
        yield requirement, entry


def is_shipped(path: Path | PackagePath) -> bool:
    return not LEFT_OUT.intersection(path.parts) and ".." not in path.parts


def source_files(bundle: Bundle) -> Iterator[Path]:
    """The bundle's own files, relative to the repository."""
    for package in bundle.packages:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and is_shipped(path.relative_to(ROOT)):
                yield path.relative_to(ROOT)


def installed_sizes(bundle: Bundle) -> dict[str, int]:
    """Bytes of each locked distribution as it is installed here, and of the bundle's own source.

    Asks no registry. Wheels of other platforms differ by some per cent; the budgets leave room for that.
    """
    sizes = {"source": sum((ROOT / path).stat().st_size for path in source_files(bundle))}
    for requirement, _ in requirements(bundle.lock):
        installed = distribution(requirement.name)
        located = (Path(str(installed.locate_file(file))) for file in installed.files or () if is_shipped(file))
        sizes[requirement.name] = sum(path.stat().st_size for path in located if path.is_file())
    return sizes


def build(bundle: Bundle, target: Path) -> int:
    """Write the bundle and return its size in bytes."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    lock = target.parent / f"{bundle.name}.txt"
    lock.write_text("\n".join(entry for _, entry in requirements(bundle.lock)))
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", PYTHON, *platforms, "--target", str(target), "--requirement", str(lock)]
    subprocess.run(command, check=True)  # noqa: S603  every word is ours
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in LEFT_OUT:
            shutil.rmtree(path)
    for path in source_files(bundle):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Build the function bundles.")
    parser.add_argument("--into", type=Path, default=ROOT / ".build", help="folder that template.yaml's CodeUri names")
    into: Path = parser.parse_args().into
    over = False
    for bundle in BUNDLES:
        size = build(bundle, into / bundle.name)
        over |= size > bundle.budget
        verdict = "FAIL" if size > bundle.budget else "PASS"
        print(
            f"figure foundation.{bundle.name}_bundle {size / MB:.1f} MB goal <= {bundle.budget / MB:.0f} "
            f"n={len(list(source_files(bundle)))} seed=0 {verdict}"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
