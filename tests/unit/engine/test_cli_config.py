"""Where providers come from: the user's configuration is kept, mirrors are found by their layout."""

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.cli_config import CliConfig, RequiredProviders, cli_config
from holdfast_orchestrator.engine.lockfile import LockedProvider
from holdfast_orchestrator.engine.mirrors import Mirror, find_mirrors, this_platform
from holdfast_orchestrator.engine.providers import Requirement, requirements
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.testing import refusing_runtime

REGISTRY = "registry.terraform.io"
AWS = f"{REGISTRY}/hashicorp/aws"
ENGINE = Engine(Path("/bin/terraform"), "terraform", (1, 11, 4))


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """Return a mirror with aws 5.100.0 unpacked and random 3.6.0 packed."""
    root = tmp_path / "mirror"
    (root / AWS / "5.100.0" / this_platform()).mkdir(parents=True)
    (root / AWS / "6.0.0" / "plan9_mips").mkdir(parents=True)
    packed = root / REGISTRY / "hashicorp" / "random"
    packed.mkdir()
    (packed / f"terraform-provider-random_3.6.0_{this_platform()}.zip").touch()
    return Mirror(root)


def decide(
    tmp_path: Path,
    *required: Requirement,
    environ: Mapping[str, str] | None = None,
    locks: lockfile.Locks | None = None,
    mirrors: tuple[Mirror, ...] = (),
) -> CliConfig:
    return cli_config(
        {"HOME": str(tmp_path / "home"), **(environ or {})},
        engine=ENGINE,
        providers=RequiredProviders(required, locks or {}, mirrors),
        cache=tmp_path / "cache",
    )


def user_file(tmp_path: Path, text: str, name: str = ".terraformrc") -> None:
    path = tmp_path / "home" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_what_a_mirror_holds_comes_from_there_and_everything_else_directly(
    tmp_path: Path, mirror: Mirror
) -> None:
    config = decide(tmp_path, Requirement(AWS, "5.100.0"), mirrors=(mirror,))

    assert config.text is not None
    assert f'path    = "{mirror.path}"' in config.text
    assert f'include = ["{AWS}"]' in config.text
    assert f'direct {{\n    exclude = ["{AWS}"]' in config.text
    assert not config.serial_init
    assert config.environ == {}


@pytest.mark.parametrize(
    ("constraint", "locked", "served"),
    [
        ("5.100.0", None, True),
        ("~> 5.0", None, True),
        ("", None, True),
        ("~> 6.0", None, False),
        ("6.0.0", None, False),
        ("~> 5.0", "5.99.1", False),
        ("~> 5.0", "5.100.0", True),
        ("5.100.0", "4.0.0", True),
    ],
)
def test_a_mirror_is_used_only_for_a_version_that_is_allowed_and_locked(
    tmp_path: Path, mirror: Mirror, *, constraint: str, locked: str | None, served: bool
) -> None:
    locks = {AWS: LockedProvider(locked, "", ("h1:x",))} if locked else {}

    config = decide(tmp_path, Requirement(AWS, constraint), locks=locks, mirrors=(mirror,))

    assert (config.text is not None) is served
    assert config.serial_init is not served


def test_without_a_mirror_a_cache_is_used_and_init_must_be_one_at_a_time(tmp_path: Path) -> None:
    config = decide(tmp_path, Requirement(AWS, "5.100.0"))

    assert config.text is None
    assert config.environ == {"TF_PLUGIN_CACHE_DIR": str(tmp_path / "cache")}
    assert config.serial_init


def test_a_cache_of_the_users_own_is_kept(tmp_path: Path) -> None:
    user_file(tmp_path, 'plugin_cache_dir = "/theirs"')

    config = decide(tmp_path, Requirement(AWS, "5.100.0"))

    assert config.environ == {}
    assert config.serial_init


def test_providers_from_two_places_are_each_had_from_theirs(tmp_path: Path, mirror: Mirror) -> None:
    other = f"{REGISTRY}/acme/fake"

    config = decide(tmp_path, Requirement(AWS, "5.100.0"), Requirement(other, "1.0.0"), mirrors=(mirror,))

    assert config.text is not None
    assert other not in config.text
    assert config.serial_init


@pytest.mark.parametrize(
    "text",
    [
        "provider_installation {\n  direct {}\n}",
        '  provider_installation{ filesystem_mirror { path = "/x" } }',
        '{"provider_installation": [{"direct": {}}]}',
    ],
)
def test_an_installation_the_user_set_up_is_left_alone(tmp_path: Path, mirror: Mirror, text: str) -> None:
    user_file(tmp_path, text)

    config = decide(tmp_path, Requirement(AWS, "5.100.0"), mirrors=(mirror,))

    assert config == CliConfig(text=None, users_own=True)


def test_an_installation_in_a_comment_does_not_count(tmp_path: Path, mirror: Mirror) -> None:
    user_file(tmp_path, "# provider_installation {\n/*\nprovider_installation {\n*/\n")

    config = decide(tmp_path, Requirement(AWS, "5.100.0"), mirrors=(mirror,))

    assert config.text is not None


def test_what_else_the_user_says_is_kept_from_every_file(tmp_path: Path, mirror: Mirror) -> None:
    user_file(tmp_path, 'credentials "a.example" {\n  token = "one"\n}\n')
    user_file(tmp_path, 'host "b.example" {}\n', ".terraform.d/more.tfrc")
    user_file(
        tmp_path, '{"credentials": {"c.example": {"token": "two"}}}', ".terraform.d/credentials.tfrc.json"
    )

    config = decide(tmp_path, Requirement(AWS, "5.100.0"), mirrors=(mirror,))

    assert config.text is not None
    assert 'credentials "a.example" {\n  token = "one"\n}' in config.text
    assert 'host "b.example" {}' in config.text
    assert 'credentials "c.example" {\n  token = "two"\n}' in config.text


def test_a_file_that_is_named_but_not_there_is_dropped_and_the_usual_one_read(
    tmp_path: Path, mirror: Mirror
) -> None:
    user_file(tmp_path, "disable_checkpoint = true\n")
    environ = {"TF_CLI_CONFIG_FILE": str(tmp_path / "missing")}

    config = decide(tmp_path, Requirement(AWS, "5.100.0"), environ=environ, mirrors=(mirror,))

    assert config.text is not None
    assert config.text.startswith("disable_checkpoint = true")
    assert "TF_CLI_CONFIG_FILE" in config.dropped


def test_a_file_that_is_named_and_there_is_the_only_one_read(tmp_path: Path, mirror: Mirror) -> None:
    user_file(tmp_path, "disable_checkpoint = true\n")
    named = tmp_path / "named"
    named.write_text('plugin_cache_dir = "/theirs"\n')

    config = decide(
        tmp_path, Requirement(AWS, "5.100.0"), environ={"TF_CLI_CONFIG_FILE": str(named)}, mirrors=(mirror,)
    )

    assert config.text is not None
    assert config.text.startswith('plugin_cache_dir = "/theirs"')
    assert "disable_checkpoint" not in config.text


def test_a_user_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    user_file(tmp_path, "{ not json")

    with pytest.raises(ToolchainError, match=r"\.terraformrc is not a CLI configuration"):
        decide(tmp_path, Requirement(AWS, "5.100.0"))


def test_our_file_is_private_and_named_to_the_engine(tmp_path: Path) -> None:
    config = CliConfig(text="x = 1", environ={"A": "b"}, dropped=frozenset({"C"}))

    environ = config.applied({"C": "gone", "D": "kept"}, tmp_path)

    file = tmp_path / "holdfast.tfrc"
    assert environ == {"A": "b", "D": "kept", "TF_CLI_CONFIG_FILE": str(file)}
    assert file.read_text() == "x = 1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- mirrors


def test_mirrors_are_found_below_software_roots_and_at_home(tmp_path: Path, mirror: Mirror) -> None:
    home = tmp_path / "home" / ".terraform.d" / "plugins" / REGISTRY
    home.mkdir(parents=True)
    runtime = refusing_runtime(environ={"HOME": str(tmp_path / "home")}, cwd=tmp_path)

    found = find_mirrors(runtime, REGISTRY, roots=[(str(tmp_path), ("*",))])

    assert found == (Mirror(home.parent), mirror)


def test_a_mirror_of_another_registry_is_none(tmp_path: Path, mirror: Mirror) -> None:
    runtime = refusing_runtime(cwd=tmp_path)

    assert find_mirrors(runtime, "registry.opentofu.org", roots=[(str(mirror.path.parent), ("*",))]) == ()


def test_a_mirror_that_is_named_is_the_only_one_and_the_environment_wins(
    tmp_path: Path, mirror: Mirror
) -> None:
    runtime = refusing_runtime(environ={"HOLDFAST_PROVIDER_MIRROR": "mirror"}, cwd=tmp_path)

    found = find_mirrors(runtime, REGISTRY, named=tmp_path / "other", roots=[(str(tmp_path), ("*",))])

    assert found == (mirror,)


def test_a_named_folder_that_is_no_mirror_is_refused_with_the_layout(tmp_path: Path) -> None:
    runtime = refusing_runtime(environ={"HOLDFAST_PROVIDER_MIRROR": str(tmp_path)}, cwd=tmp_path)

    with pytest.raises(ToolchainError, match=r"has no folder registry\.terraform\.io/<namespace>/<name>"):
        find_mirrors(runtime, REGISTRY)


def test_a_mirror_knows_what_it_holds_for_this_platform(mirror: Mirror) -> None:
    assert mirror.sources(this_platform()) == (AWS, f"{REGISTRY}/hashicorp/random")
    assert mirror.versions(AWS, this_platform()) == {"5.100.0"}
    assert mirror.versions(f"{REGISTRY}/hashicorp/random", this_platform()) == {"3.6.0"}


# --- requirements


@pytest.mark.parametrize(
    ("constraint", "version", "allowed"),
    [
        ("", "1.2.3", True),
        ("1.2.3", "1.2.3", True),
        ("= 1.2", "1.2.0", True),
        ("!= 1.2.3", "1.2.3", False),
        (">= 1.2, < 2.0", "1.9.9", True),
        (">= 1.2, < 2.0", "2.0.0", False),
        ("~> 5.0", "5.100.0", True),
        ("~> 5.0", "6.0.0", False),
        ("~> 5.1.2", "5.1.9", True),
        ("~> 5.1.2", "5.2.0", False),
        ("~> 5", "5.9.0", True),
        ("> 1.0", "1.0.1", True),
        ("<= 1.0", "1.0.1", False),
        ("1.2.3", "1.2.3-beta1", False),
        ("something else", "1.2.3", False),
    ],
)
def test_constraints_mean_what_the_engines_mean(constraint: str, version: str, *, allowed: bool) -> None:
    assert Requirement(AWS, constraint).allows(version) is allowed


def test_requirements_are_read_in_every_form_and_built_in_ones_left_out() -> None:
    configuration = b"""{"terraform": [{"required_providers": [{
        "aws": {"source": "aws", "version": "5.100.0"},
        "fake": {"source": "acme/fake"},
        "random": "~> 3.0",
        "mine": {"source": "Registry.Example/a/b"},
        "terraform": {"source": "terraform.io/builtin/terraform"}
    }]}]}"""

    required = requirements(configuration, "registry.opentofu.org")

    assert required == (
        Requirement("registry.example/a/b", ""),
        Requirement("registry.opentofu.org/acme/fake", ""),
        Requirement("registry.opentofu.org/hashicorp/aws", "5.100.0"),
        Requirement("registry.opentofu.org/hashicorp/random", "~> 3.0"),
    )


# --- the lock file

names = st.sampled_from([f"{host}/acme/{name}" for host in ("a.io", "b.org") for name in "abc"])
digests = st.text("ABCabc019+/=", min_size=1, max_size=8)
hashes = st.lists(st.tuples(st.sampled_from(["h1:", "zh:"]), digests).map("".join), unique=True, max_size=4)
versions = st.tuples(*[st.integers(0, 120)] * 3).map(lambda parts: ".".join(map(str, parts)))
locked = st.builds(
    LockedProvider,
    versions,
    st.sampled_from(["", "~> 5.0", "5.100.0"]),
    hashes.map(lambda found: tuple(sorted(found))),
)
all_locks = st.dictionaries(names, locked, max_size=4)


@given(all_locks)
def test_what_is_written_is_read_back(locks: dict[str, LockedProvider]) -> None:
    assert lockfile.parse(lockfile.render(locks)) == locks


@given(all_locks, all_locks)
def test_merging_twice_is_merging_once_and_nothing_is_lost(
    project: dict[str, LockedProvider], added: dict[str, LockedProvider]
) -> None:
    once = lockfile.merged(project, added)

    assert lockfile.merged(once, added) == once
    assert set(once) == {*project, *added}


@given(st.text())
def test_no_text_makes_the_reader_of_lock_files_raise(text: str) -> None:
    assert isinstance(lockfile.parse(text), dict)


def test_the_lock_file_of_this_repository_is_the_way_an_engine_writes_it() -> None:
    root = Path(__file__).resolve().parents[3]
    text = (root / lockfile.NAME).read_text()

    locks = lockfile.parse(text)

    assert lockfile.render(locks) == text
    assert lockfile.covers(locks, [Requirement(AWS, "5.100.0")])


def test_a_lock_without_checksums_covers_nothing() -> None:
    assert not lockfile.covers({AWS: LockedProvider("5.100.0", "", ())}, [Requirement(AWS, "5.100.0")])


def test_checksums_of_one_version_are_joined_and_another_version_replaces() -> None:
    old = {AWS: LockedProvider("5.100.0", "5.100.0", ("h1:a",))}

    same = lockfile.merged(old, {AWS: LockedProvider("5.100.0", "", ("h1:b",))})
    newer = lockfile.merged(old, {AWS: LockedProvider("5.101.0", "5.101.0", ("h1:c",))})

    assert same[AWS] == LockedProvider("5.100.0", "5.100.0", ("h1:a", "h1:b"))
    assert newer[AWS] == LockedProvider("5.101.0", "5.101.0", ("h1:c",))
