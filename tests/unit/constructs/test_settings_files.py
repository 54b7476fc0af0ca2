"""Settings as files: those asked for, those missing, those nobody can read; and what the app says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.example_settings import example, load_environment, tables

from holdfast_constructs.settings import InvalidSettingsError, Problem, load_environments

ROOT = Path(__file__).resolve().parents[3]
PROD = example("prod")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a settings file: production's, with some of its text replaced."""

    def run(*edits: tuple[str, str], name: str = "prod") -> Path:
        text = PROD
        for old, new in edits:
            assert old in text, f"{old!r} is not in environments/prod.toml"
            text = text.replace(old, new)
        file = tmp_path / f"{name}.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return run


def problems_of(file: Path) -> tuple[Problem, ...]:
    with pytest.raises(InvalidSettingsError) as caught:
        load_environment(file)
    return caught.value.problems


def only(file: Path) -> Problem:
    found = problems_of(file)
    assert len(found) == 1, "\n\n".join(map(str, found))
    return found[0]


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    # The first one is a whole file; the others are parts of one.
    example, *_ = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    file = tmp_path / "prod.toml"
    file.write_text(example.replace("@sha256:…", "@sha256:" + "0" * 64), encoding="utf-8")

    prod = load_environment(file)

    assert prod.production
    assert prod.health_overrides() == {"alb_targets_healthy": {"window": 600}}
    assert [copy.region for copy in prod.state.copies] == ["eu-central-1"]


def test_only_the_environments_asked_for_are_read(write: Write) -> None:
    write(name="prod")
    broken = write(("[tags]", "[tags"), name="broken")

    loaded = load_environments(broken.parent, ["prod"], services=tables())

    assert [environment.name for environment in loaded] == ["prod"]


def test_everything_wrong_with_every_file_is_told_at_once(write: Write) -> None:
    file = write(("zones = 3", "zones = 0"), ("rate_limit = 2000", "rate_limit = 9"), name="one")
    write(("cpu = 512", "cpu = 500"), name="two")

    with pytest.raises(InvalidSettingsError) as caught:
        load_environments(file.parent, services=tables())

    assert [problem.key for problem in caught.value.problems] == [
        "network.zones",
        "firewall.rate_limit",
        "services.storefront.cpu",
    ]


def test_broken_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "dev.toml"
    file.write_text('account = "109876543210"\nregions = [\n', encoding="utf-8")
    other = tmp_path / "prod.toml"
    other.write_text('account = "109876543210"\nregions == []\n', encoding="utf-8")

    at_the_end, in_a_line = only(file), only(other)

    assert at_the_end.place == file.as_posix()
    assert "at the end of the file" in at_the_end.got
    assert in_a_line.place == f"{other.as_posix()}:2"
    assert "at column 10" in in_a_line.got
    assert "is not TOML" in in_a_line.what


def test_a_file_that_is_not_utf8_is_told_with_line_and_byte(tmp_path: Path) -> None:
    file = tmp_path / "dev.toml"
    file.write_bytes(b'account = "109876543210"\ndomain = "caf\xe9.example.com"\n')

    problem = only(file)

    assert problem.place == f"{file.as_posix()}:2"
    assert problem.got == "the byte 0xe9"
    assert problem.next_step == "save the file as UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "prod.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PROD.encode())

    assert load_environment(file).name == "prod"


def test_an_environment_that_is_not_there_is_told_with_those_that_are(write: Write) -> None:
    folder = write().parent

    with pytest.raises(InvalidSettingsError) as caught:
        load_environments(folder, ["prd"], services=tables())

    assert caught.value.problems[0].got == "'prd'"
    assert caught.value.problems[0].allowed == "prod; did you mean prod?"


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_environments_is_told(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidSettingsError) as caught:
        load_environments(tmp_path / folder, services=tables())

    assert caught.value.problems[0].place.endswith(folder)
    assert "<name>.toml" in caught.value.problems[0].allowed
    assert "HOLDFAST_ENVIRONMENTS" in caught.value.problems[0].next_step


def test_a_folder_called_like_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "prod.toml").mkdir()

    assert only(tmp_path / "prod.toml").what == "cannot be read"


def test_a_file_name_no_state_key_can_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "Prod_EU.toml").write_text(PROD, encoding="utf-8")

    with pytest.raises(InvalidSettingsError, match=r"is named as no environment can be[\s\S]*'Prod_EU'"):
        load_environments(tmp_path, services=tables())
