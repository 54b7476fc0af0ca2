"""The name of a new project in its settings, and in its snapshots, which are the example's without one.

In the snapshots it goes before each name in AWS: a text, or a part of one after `/`, `:` or `logs-`, that
begins with a stack and an environment of the example. With eleven characters none of these names grows so
long that it would be cut.
"""

import re

LONGEST = 11

_STACKS = "data|edge|network|orders|storefront"
_NAME = re.compile(rf"(?<=[\"/:])(?=(?:{_STACKS})-(?:local|prod)(?:-|[/\"]))|(?<=aws-waf-logs-)(?=edge-)")
_IN_CLUSTER = re.compile(r'(?<="name": ")(?=(?:orders-api|storefront-web)")')
_SHARD = re.compile(rf"(?:{_STACKS})-(?:local|prod)-[a-z]+-[a-z]+-[0-9]\"")
_KEY = re.compile(rf"(?<=\")(?=(?:{_STACKS})/[0-9]{{12}}/)")
_LOG_GROUP = re.compile(r"(?<=/holdfast/)(?=(?:local|prod)/)")
_TAG = re.compile(r'(?P<indent> +)"ManagedBy": "holdfast",\n')


def project_name(name: str) -> str:
    """Return the name that the settings of a project called `name` give it."""
    return name[:LONGEST].strip("-")


def with_project(text: str, name: str) -> str:
    """Return the settings of an environment with the project's name before its tags."""
    table = (
        "# Part of every name in AWS and of the states' keys: set before the first deploy, never changed.\n"
        f'[project]\nname = "{project_name(name)}"\n\n'
    )
    return text.replace("[tags]\n", f"{table}[tags]\n", 1)


def snapshot_of(project: str, text: str) -> str:
    """Return the snapshot of a stack of the example as it is in a project with this name."""
    text = _NAME.sub(lambda match: "" if _SHARD.match(text, match.end()) else f"{project}-", text)
    text = _IN_CLUSTER.sub(f"{project}-", text)
    text = _KEY.sub(f"{project}.", text)
    text = _LOG_GROUP.sub(f"{project}/", text)
    return _TAG.sub(rf'\g<indent>"ManagedBy": "holdfast",\n\g<indent>"Project": "{project}",\n', text)
