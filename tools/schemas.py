"""Generates the JSON schemas that are kept in the repository; `--check` only says which are stale.

    python tools/schemas.py            write them
    python tools/schemas.py --check    exit 1 when one is not what its models say

To add one: a function that returns the schema, and a line in SCHEMAS.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from holdfast_orchestrator.report.record_schemas import RECORDS, record_schema
from holdfast_orchestrator.report.schemas import SCHEMAS as DOCUMENTS

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "environments/schema.json"


def environment() -> dict[str, Any]:
    """Return the schema of environments/<name>.toml, which editors complete from."""
    from holdfast_constructs.project.main import environments_schema  # noqa: PLC0415
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415

    return environments_schema(registrations("holdfast_stacks"))


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    SETTINGS: environment,
    **{f"docs/schemas/{name}": producer for name, producer in DOCUMENTS.items()},
    **{f"docs/schemas/records/{name}": partial(record_schema, name) for name in RECORDS},
}


def rendered(producer: Callable[[], dict[str, Any]]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(producer(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def stale(root: Path) -> tuple[str, ...]:
    """Return the paths below `root` that are missing or differ from what their models say."""
    return tuple(path for path, producer in SCHEMAS.items() if _text(root / path) != rendered(producer))


def later_services_only(root: Path) -> bool:
    """Say whether the schema of the settings lacks nothing but services that came after it.

    Such a service falls under `AnyService`, so that adding one asks for no `make schema`.
    """
    kept, current = json.loads(_text(root / SETTINGS) or "{}"), environment()
    tables = kept.get("$defs", {}).get("Services", {}).get("properties", {})
    services = current["$defs"]["Services"]["properties"]
    for name in services.keys() - tables.keys():
        del services[name]
    current["$defs"] = {
        name: table for name, table in current["$defs"].items() if name in kept.get("$defs", {})
    }
    return bool(current == kept)


def main() -> int:
    """Write or check the schemas; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a schema is stale")
    stale_files = stale(ROOT)
    if parser.parse_args().check:
        stale_files = tuple(path for path in stale_files if path != SETTINGS or not later_services_only(ROOT))
        for path in stale_files:
            print(f"{path} is stale; run `make schema`", file=sys.stderr)
        return 1 if stale_files else 0
    for path in stale_files:
        file = ROOT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rendered(SCHEMAS[path]), encoding="utf-8")
        print(f"wrote {path}")
    return 0


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main())
