"""What cdktf.json says of an app, and what is refused."""

import json
from pathlib import Path

import pytest

from holdfast_orchestrator.app.project_file import read_project_file
from holdfast_orchestrator.errors import SettingsError


def project(tmp_path: Path, document: object) -> Path:
    (tmp_path / "cdktf.json").write_text(json.dumps(document))
    return tmp_path


def test_cdktf_json_says_which_program_and_what_settings(tmp_path: Path) -> None:
    file = read_project_file(
        project(tmp_path, {"app": "python main.py", "context": {"holdfast": {"region": "eu-west-1"}}})
    )

    assert file.app == "python main.py"
    assert file.output == tmp_path / "cdktf.out"
    assert file.foreign.region == "eu-west-1"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "`app` must be the command"),
        (
            {"app": "x", "context": {"holdfast": {"buckett": "b"}}},
            "no setting 'buckett'; there are: accepted_differences, account,",
        ),
        ({"app": "x", "context": {"holdfast": {"account": 123}}}, "account must be a string, got 123"),
        *(
            (
                {"app": "x", "context": {"holdfast": {"parallelism": value}}},
                f"holdfast.parallelism must be a whole number from 1 to 50, got {value!r}",
            )
            for value in (0, 51, "20", 2.5, True)
        ),
    ],
)
def test_a_cdktf_json_that_says_something_else_is_refused(
    tmp_path: Path, document: object, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read_project_file(project(tmp_path, document))


@pytest.mark.parametrize("value", [1, 50, None])
def test_the_number_of_objects_at_once_may_be_chosen(tmp_path: Path, value: int | None) -> None:
    settings = {"parallelism": value} if value else {}

    file = read_project_file(project(tmp_path, {"app": "x", "context": {"holdfast": settings}}))

    assert file.parallelism == value


def test_a_folder_without_cdktf_json_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--project"):
        read_project_file(tmp_path)


def test_a_cdktf_json_that_cannot_be_read_is_wrong_settings(tmp_path: Path) -> None:
    (tmp_path / "cdktf.json").mkdir()

    with pytest.raises(
        SettingsError, match=r"cannot read .*cdktf\.json: it must be a file, got a folder"
    ) as raised:
        read_project_file(tmp_path)

    assert raised.value.next_step == "make it a readable file"
