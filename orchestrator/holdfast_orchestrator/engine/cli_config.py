"""Where providers come from: one CLI configuration per call, the user's own kept.

- The user's configuration already has a `provider_installation`: it is left alone.
- A mirror holds what is required: ours is the user's text plus a `filesystem_mirror` for exactly
  those providers; everything else is still had directly. (A mirror without `include` and `exclude`
  would make an engine ask the network for versions it already has.)
- Otherwise a plugin cache, so that a provider is downloaded once and not once per shard. Engines do
  not fill that cache safely at the same time: `serial_init` says so.

TF_CLI_CONFIG_FILE may name a file that does not exist; then it is dropped. While it is set, engines
do not read `~/.terraform.d/*.tfrc`; so ours holds those as well.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_orchestrator.engine.lockfile import Locks
from holdfast_orchestrator.engine.mirrors import Mirror, this_platform
from holdfast_orchestrator.engine.providers import Requirement
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.json_input import parse_json, read_settings
from holdfast_orchestrator.system.private_files import write_private

VARIABLE = "TF_CLI_CONFIG_FILE"
CACHE_VARIABLE = "TF_PLUGIN_CACHE_DIR"
FILE = "holdfast.tfrc"

_COMMENT = re.compile(r"(?m)^\s*(#|//).*$|/\*.*?\*/", re.DOTALL)
_LABELLED = frozenset({"credentials", "credentials_helper", "host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CliConfig:
    """What a call needs: variables to set and to drop, and the text of our file (None: no file).

    `users_own` where the user's configuration says how providers are installed, `overridden` where it
    names binaries to use in place of installed ones.
    """

    text: str | None
    environ: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    serial_init: bool = False
    users_own: bool = False
    overridden: bool = False

    def applied(self, environ: Mapping[str, str], folder: Path) -> dict[str, str]:
        """Write our file (mode 0600: the user's may hold tokens) and return the environment with it."""
        result = {name: value for name, value in environ.items() if name not in self.dropped}
        result.update(self.environ)
        if self.text is not None:
            write_private(folder / FILE, self.text.encode())
            result[VARIABLE] = str(folder / FILE)
        return result


@dataclass(frozen=True, slots=True)
class RequiredProviders:
    """The providers a shard requires, the versions locked for them, and the mirrors that may have them."""

    required: Sequence[Requirement]
    locks: Locks
    mirrors: Sequence[Mirror]

    def by_mirror(self) -> dict[Path, list[str]]:
        """Return the sources that each mirror serves: of what is required, and of what else is locked.

        Modules and states may require what the configuration does not.
        """
        target = this_platform()
        served: dict[Path, list[str]] = {}
        named = {required.source for required in self.required}
        locked_too = (Requirement(source, "") for source in sorted(self.locks) if source not in named)
        for required in (*self.required, *locked_too):
            lock = self.locks.get(required.source)
            locked = None if lock is None else lock.version
            mirror = next(
                (mirror for mirror in self.mirrors if mirror.serves(required, locked, target)), None
            )
            if mirror is not None:
                served.setdefault(mirror.path, []).append(required.source)
        return served


def cli_config(
    environ: Mapping[str, str], *, engine: Engine, providers: RequiredProviders, cache: Path
) -> CliConfig:
    """Decide where the required providers come from; `cache` is the plugin cache to use if need be."""
    missing = frozenset({VARIABLE} if VARIABLE in environ and not Path(environ[VARIABLE]).is_file() else ())
    user = user_config({name: value for name, value in environ.items() if name not in missing}, engine)
    own_cache = CACHE_VARIABLE in environ or _defines(user, "plugin_cache_dir")
    if _defines(user, "provider_installation"):
        return CliConfig(
            text=None,
            dropped=missing,
            serial_init=own_cache,
            users_own=True,
            overridden="dev_overrides" in _COMMENT.sub("", user),
        )
    served = providers.by_mirror()
    text = user + "\n" + _installation(served) if served else None
    everything = {source for sources in served.values() for source in sources}
    if all(required.source in everything for required in providers.required):
        return CliConfig(text=text, dropped=missing | {CACHE_VARIABLE}, serial_init=False)
    added = {} if own_cache else {CACHE_VARIABLE: str(cache)}
    return CliConfig(text=text, environ=added, dropped=missing, serial_init=True)


def user_config(environ: Mapping[str, str], engine: Engine) -> str:
    """Return the user's own CLI configuration as text, from wherever the engine would read it."""
    if VARIABLE in environ:
        return _readable(Path(environ[VARIABLE]))
    home = Path(environ.get("HOME", "/nonexistent"))
    names = (".tofurc", ".terraformrc") if engine.kind == "tofu" else (".terraformrc",)
    main = next((home / name for name in names if (home / name).is_file()), None)
    folder = home / ".terraform.d"
    extra = sorted([*folder.glob("*.tfrc"), *folder.glob("*.tfrc.json")])
    return "\n".join(_readable(path) for path in ([main] if main else []) + extra)


def _readable(path: Path) -> str:
    try:
        text = read_settings(path, follow=True).decode(errors="replace")
    except FileNotFoundError:
        return ""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return _hcl(parse_json(text))
    except (ValueError, AttributeError) as error:
        raise ToolchainError(
            f"{path} is not a CLI configuration: {error}", next_step=f"correct {path}"
        ) from error


def _hcl(document: Mapping[str, object]) -> str:
    """Turn the JSON form of a CLI configuration into the text form, so that ours can be added."""
    lines = []
    for key, value in document.items():
        if key in _LABELLED and isinstance(value, Mapping):
            lines += [_setting(f"{key} {json.dumps(label)}", body) for label, body in value.items()]
        else:
            lines.append(_setting(key, value))
    return "\n".join(lines)


def _setting(name: str, value: object) -> str:
    if not isinstance(value, Mapping):
        return f"{name} = {json.dumps(value)}"
    inner = "".join(f"  {_setting(key, each)}\n" for key, each in value.items())
    return f"{name} {{\n{inner}}}"


def _defines(text: str, name: str) -> bool:
    return re.search(rf"(?m)^\s*{name}\s*[={{]", _COMMENT.sub("", text)) is not None


def _installation(served: Mapping[Path, Sequence[str]]) -> str:
    mirrors = "".join(_mirror_block(path, sources) for path, sources in served.items())
    everything = json.dumps(sorted(source for sources in served.values() for source in sources))
    return f"provider_installation {{\n{mirrors}  direct {{\n    exclude = {everything}\n  }}\n}}\n"


def _mirror_block(path: Path, sources: Sequence[str]) -> str:
    include = f"    include = {json.dumps(sources)}\n"
    return f"  filesystem_mirror {{\n    path    = {json.dumps(str(path))}\n{include}  }}\n"
