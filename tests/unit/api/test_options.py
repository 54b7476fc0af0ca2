"""What is said of every command reaches Terraform."""

import json
from pathlib import Path

import pytest

from holdfast_orchestrator import Options, Project
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.testing import refusing_runtime


def project(folder: Path, options: Options, **settings: object) -> Project:
    (folder / "cdktf.json").write_text(json.dumps({"app": "x", "context": {"holdfast": settings}}))
    return Project.load(folder, runtime=refusing_runtime(cwd=folder), options=options)


@pytest.mark.parametrize(
    ("option", "setting", "tools"), [(None, 7, 7), (9, 7, 9), (9, None, 9), (None, None, None)]
)
def test_an_option_overrides_the_setting_of_the_project(
    tmp_path: Path, option: int | None, setting: int | None, tools: int | None
) -> None:
    settings = {} if setting is None else {"parallelism": setting}

    loaded = project(tmp_path, Options(parallelism=option), **settings)

    assert loaded._real_tools.parallelism == tools
    assert loaded.file.parallelism == tools


def test_an_option_that_is_no_number_of_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="parallelism must be a whole number from 1 to 50, got 51"):
        project(tmp_path, Options(parallelism=51))


def test_a_full_verify_is_a_matter_of_the_tools(tmp_path: Path) -> None:
    assert project(tmp_path, Options(full_verify=True))._real_tools.full_verify
    assert not project(tmp_path, Options())._real_tools.full_verify
