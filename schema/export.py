# schema/export.py
"""`python -m schema.export [--check]`: the contract as files, so that a change of it shows in a review.

Writes schema/schema.graphql, schema/events/*.json, schema/domain_events/*.json and schema/operations/manifest.json;
with --check it writes nothing, and exits 1 where they differ.
"""

import json
import sys
from pathlib import Path
from typing import Final

from graphql import DirectiveNode, DocumentNode, Visitor, parse, print_ast, visit
from graphql.language.ast import DefinitionNode, DirectiveDefinitionNode, SchemaDefinitionNode

from crm.intake.domain_schemas import domain_schemas
from crm.intake.schemas import all_schemas
from crm.kernel.documents import hash_of
from schema.operations import MANIFEST, operations
from schema.schema import schema

HERE: Final = Path(__file__).parent
FOLDERS: Final = (HERE / "events", HERE / "domain_events")
DEFAULTS: Final = {
    ("scope", "null"),
    ("customer", "NONE"),
    ("service", "false"),
    ("visitor", "false"),
    ("slicingArguments", "null"),
    ("sizedFields", "null"),
}


def sdl() -> str:
    """The schema as SDL: directives first, then types by name. The order of fields is the declared one."""
    # Sorted as text: `sort_schema=True` breaks enum output and prints directives twice.
    document = visit(parse(schema.as_str()), WithoutDefaults())
    return print_ast(DocumentNode(definitions=tuple(sorted(document.definitions, key=_place)))) + "\n"


class WithoutDefaults(Visitor):
    """Leaves out of each `@access` and `@listSize` what it says by default, so that the rest is seen."""

    def leave_directive(self, node: DirectiveNode, *_: object) -> DirectiveNode:
        kept = [
            argument
            for argument in node.arguments or ()
            if (argument.name.value, print_ast(argument.value)) not in DEFAULTS
        ]
        return DirectiveNode(name=node.name, arguments=tuple(kept), loc=node.loc)


def expected() -> dict[Path, str]:
    """Every exported file and its text."""
    events = {
        HERE / "events" / f"{name}.json": json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        for name, event in all_schemas().items()
    } | {
        HERE / "domain_events" / f"{name}.json": json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        for name, event in domain_schemas().items()
    }
    manifest = {hash_of(operation.text): operation.text for operation in operations()}
    return {HERE / "schema.graphql": sdl(), MANIFEST: json.dumps(manifest, indent=2, sort_keys=True) + "\n", **events}


def differences() -> list[Path]:
    """The files that are missing, differ, or should not be there."""
    files = expected()
    stray = [path for folder in FOLDERS for path in folder.glob("*.json") if path not in files]
    return stray + [path for path, text in files.items() if not path.exists() or path.read_text() != text]


def write() -> None:
    for folder in FOLDERS:
        folder.mkdir(exist_ok=True)
    for path in differences():
        path.unlink(missing_ok=True)
    for path, text in expected().items():
        path.write_text(text)


def _place(node: DefinitionNode) -> tuple[int, str]:
    if isinstance(node, SchemaDefinitionNode):
        return 0, ""
    name = getattr(node, "name", None)
    return 1 if isinstance(node, DirectiveDefinitionNode) else 2, name.value if name else ""


def main() -> int:
    if "--check" not in sys.argv[1:]:
        write()
        return 0
    found = differences()
    for path in found:
        sys.stderr.write(f"{path.relative_to(HERE.parent)} is not what `make schema` writes\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
