"""JSON files read with a schema, and what is said where one does not fit."""

from pathlib import Path

from holdfast_orchestrator.app.manifest import M
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.json_input import parse_json, read_settings


def read_model(file: Path, model: type[M]) -> M:
    """Read a JSON file as `model`. Raises SettingsError naming the file and each field that is wrong."""
    try:
        return model.model_validate(parse_json(read_settings(file)))
    except FileNotFoundError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{file}: {explain(error)}") from None


def explain(error: ValueError) -> str:
    """Return a validation error in one line: field, what is wrong, what was got."""
    problems = getattr(error, "errors", None)
    if problems is None:
        return f"not valid JSON: {error}"
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'document'}: {problem['msg']}, got {problem['input']!r:.80}"
        for problem in problems()
    )
