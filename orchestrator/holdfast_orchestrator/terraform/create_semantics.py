"""What a create does where the object is there already: data, one row for each AWS type.

Some APIs refuse (CreateRole), some overwrite (PutMetricAlarm), some answer with the object that is there
(CreateTopic). For all but those that refuse, a create that Terraform reports as complete does not prove that
the object is new. `create_semantics.csv` has the types of hashicorp/aws 5.100.0 that are known, each with the
source of its row. Nobody knows what the create of an AWS type does that is in no row: only an id that AWS
has made up proves that the object is new. A type of another provider counts as one that refuses.
"""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

Scope = Literal["region", "account", "world"]


class Semantics(StrEnum):
    """What the API does when it is asked to create an object that exists."""

    REFUSES = "refuses"
    UNIQUE = "unique-by-id"
    UPSERT = "upsert"
    IDEMPOTENT = "idempotent"
    IDEMPOTENT_SAME = "idempotent-same"
    SETTING = "setting"
    ADOPTS = "adopts"
    SUCCEEDS = "succeeds"
    """It makes a new object, which takes the place of its parent's current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRule:
    """One row of the table.

    Attributes:
        kind: the Terraform type.
        semantics: what a create does where the object exists.
        import_id: the template of the import id over the object's attributes; empty where AWS chooses the id.
        name: the template of what names the object, where that is not the import id.
        scope: where the name is unique: in a region of an account, in an account, everywhere.
        look: how to ask whether the object exists: `import`; `data:ARGUMENT[=ATTRIBUTE],…` for a data source
            of the same name, with `?ATTRIBUTE=TEXT` at its end where an object that was deleted is still
            found, with that text in that attribute, and only an import tells it from one that is there;
            `always-there`; `default:ATTRIBUTE=TEXT` (an import; where the attribute
            has that text in it, AWS's own value is there and nobody's); `flag:ATTRIBUTE` (an import,
            where that attribute is true);
            `proof` (an import, of use only where nothing else proves later that a lost create was ours);
            `proof:aws` (the same, and looked for each time: services of AWS make such objects by themselves);
            `none` where nothing can be asked; empty where no question arises.
        parent, parent_kind: the attribute that names what this object is a part or setting of, and its type.
        source: where the row comes from. note: what is peculiar.
    """

    kind: str
    semantics: Semantics
    import_id: str
    name: str
    scope: Scope
    look: str
    parent: str
    parent_kind: str
    source: str
    note: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The attributes that name the object."""
        return tuple(re.findall(r"{(\w+)", self.name))

    @property
    def is_setting(self) -> bool:
        """Whether it is one per parent or account: a create overwrites, a delete puts the default back."""
        return self.semantics is Semantics.SETTING

    @property
    def succeeds(self) -> bool:
        """Whether a create makes a new object beside the one before, and takes that one's place."""
        return self.semantics is Semantics.SUCCEEDS

    @property
    def always_there(self) -> bool:
        """Whether AWS has a value for this setting at any time, so that finding one is no news."""
        return self.look == "always-there"

    def is_default(self, attributes: Mapping[str, Any]) -> bool:
        """Whether a setting that was found has the value that AWS gives to it."""
        attribute, _, text = self.look.removeprefix("default:").partition("=")
        return self.look.startswith("default:") and text in str(attributes.get(attribute))

    @property
    def data_arguments(self) -> Mapping[str, str]:
        """The arguments of the data source to ask, each with the attribute of the object that it takes."""
        if not self.look.startswith("data:"):
            return {}
        pairs = (pair.partition("=") for pair in self.look.removeprefix("data:").partition("?")[0].split(","))
        return {argument: attribute or argument for argument, _, attribute in pairs}

    @property
    def gone_if(self) -> tuple[str, str] | None:
        """The attribute and its text with which the data source still finds an object that was deleted."""
        attribute, _, text = self.look.partition("?")[2].partition("=")
        return (attribute, text) if attribute else None

    def may_be_gone(self, attributes: Mapping[str, Any]) -> bool:
        """Whether what the data source found may be an object that was deleted."""
        return self.gone_if is not None and str(attributes.get(self.gone_if[0])) == self.gone_if[1]

    @property
    def flag(self) -> str:
        """The attribute that turns a create that refuses into one that overwrites; empty where none does."""
        return self.look.partition("flag:")[2]

    @property
    def is_for_proof(self) -> bool:
        """Whether a look serves as proof alone: AWS refuses to create what exists, and an import shows it."""
        return self.look.startswith("proof")

    @property
    def made_by_aws(self) -> bool:
        """Whether services of AWS make such objects, so that a plan looks although the create is refused."""
        return self.look == "proof:aws"


# The end of an id that no caller has chosen: `tgw-0123456789abcdef0`, a UUID.
_MADE_UP_ID = re.compile(r"(^|[/:-])[a-z0-9]+-[0-9a-f]{8,17}\Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

# The label of the version of a secret that everybody reads.
CURRENT = "AWSCURRENT"

# Two names of one type of object: the key of either is the key of the other.
TWINS: Mapping[str, str] = {
    "aws_alb": "aws_lb",
    "aws_alb_listener": "aws_lb_listener",
    "aws_alb_listener_certificate": "aws_lb_listener_certificate",
    "aws_alb_listener_rule": "aws_lb_listener_rule",
    "aws_alb_target_group": "aws_lb_target_group",
    "aws_alb_target_group_attachment": "aws_lb_target_group_attachment",
    "aws_default_network_acl": "aws_network_acl",
    "aws_default_route_table": "aws_route_table",
    "aws_default_security_group": "aws_security_group",
    "aws_default_subnet": "aws_subnet",
    "aws_default_vpc": "aws_vpc",
    "aws_default_vpc_dhcp_options": "aws_vpc_dhcp_options",
    "aws_s3_bucket_object": "aws_s3_object",
    "aws_s3_object_copy": "aws_s3_object",
}


def rule_of(kind: str) -> CreateRule | None:
    """Return the row of a Terraform type, or that of its twin; None where the table does not have it."""
    rows = _rows()
    return rows.get(kind) or rows.get(TWINS.get(kind, ""))


def succeeds(kind: str) -> bool:
    """Say whether a create makes a new object that takes the place of its parent's current one."""
    rule = rule_of(kind)
    return rule is not None and rule.succeeds


def refuses_existing(kind: str, values: Mapping[str, Any]) -> bool:
    """Say whether a complete create of an object with these values proves that it is new."""
    rule = rule_of(kind)
    if rule is None or rule.succeeds or rule.semantics is Semantics.UNIQUE:
        return True
    return rule.semantics is Semantics.REFUSES and not (rule.flag and values.get(rule.flag))


def is_new_by_itself(kind: str, values: Mapping[str, Any]) -> bool:
    """Say whether the id of an object, of a type that is in no row, proves that it is new."""
    return not kind.startswith("aws_") or _MADE_UP_ID.search(str(values.get("id"))) is not None


def is_doubtful(kind: str, values: Mapping[str, Any]) -> bool:
    """Say whether a create might take over an object that exists: whether a look is due.

    Settings that are always there are not, and nor are the `aws_default_*`, whose create makes nothing.
    """
    rule = rule_of(kind)
    if rule is None or rule.always_there or rule.semantics is Semantics.ADOPTS:
        return False
    if rule.succeeds:
        stages = values.get("version_stages")
        return not isinstance(stages, Collection) or CURRENT in stages
    return not refuses_existing(kind, values)


def is_looked_for(kind: str, values: Mapping[str, Any]) -> bool:
    """Say whether a plan looks for an object before it is created: it would be taken over, or be refused."""
    rule = rule_of(kind)
    return is_doubtful(kind, values) or (rule is not None and rule.made_by_aws)


@cache
def parent_kinds() -> frozenset[str]:
    """Return the types that other objects are parts or settings of."""
    return frozenset(rule.parent_kind for rule in _rows().values() if rule.parent_kind)


@cache
def _rows() -> Mapping[str, CreateRule]:
    text = (files(__package__) / "create_semantics.csv").read_text(encoding="utf-8")
    return {row["type"]: _rule(row) for row in csv.DictReader(text.splitlines())}


def _rule(row: Mapping[str, str]) -> CreateRule:
    parent, _, parent_kind = row["parent"].partition(">")
    return CreateRule(
        kind=row["type"],
        semantics=Semantics(row["semantics"]),
        import_id=row["import_id"],
        name=row["name"] or row["import_id"],
        scope=cast("Scope", row["scope"]),
        look=row["look"],
        parent=parent,
        parent_kind=parent_kind,
        source=row["source"],
        note=row["note"],
    )
