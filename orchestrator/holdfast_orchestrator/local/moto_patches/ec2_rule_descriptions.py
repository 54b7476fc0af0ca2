"""Descriptions of security-group rules that name a group or a prefix list.

moto 5.2.1 keeps the description of a rule with a CIDR only; for rules with `referenced_security_group_id`
or `prefix_list_id` it is lost and planned again and again.
AWS keeps it for every rule, and DescribeSecurityGroups shows it inside the pair or the prefix list.
So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import attach, memory, moto, wrap


def close() -> None:
    """Keep a description on every kind of rule."""
    groups = moto("ec2.models.security_groups")
    _keep_when_made(groups.SecurityGroupRule)
    _keep_when_changed(groups.SecurityGroupBackend)
    moto_says = groups.SecurityGroupRule.description.fget

    def description(self: Any) -> Any:
        return memory(self, "said").get("description") or moto_says(self)

    attach(groups.SecurityGroupRule, "description", property(description))


def _keep_when_made(rule_class: Any) -> None:
    @wrap(rule_class, "__init__")
    def init(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        # moto passes (backend, protocol, group, from, to, cidr, group pair, prefix list) by position.
        for part in args[5:8]:
            if isinstance(part, dict) and "Description" in part:
                memory(self, "said")["description"] = part["Description"]
        # Two rules for the same group are the same rule, whatever they are called.
        self.source_group = {k: v for k, v in self.source_group.items() if k != "Description"}


def _keep_when_changed(backend_class: Any) -> None:
    @wrap(backend_class, "modify_security_group_rules")
    def modify(original: Any, self: Any, group_id: str, rules: dict[str, Any]) -> Any:
        answer = original(self, group_id, rules)
        group = self.get_security_group_by_name_or_id(group_id)
        for rule_id, new in rules.items():
            rule = group.get_rule(rule_id)
            memory(rule, "said")["description"] = new.get("Description", "")
            rule.prefix_list_id = new.get("PrefixListId", rule.prefix_list_id)
            if "ReferencedGroupId" in new and rule.source_group:
                rule.source_group = {**rule.source_group, "GroupId": new["ReferencedGroupId"]}
        return answer
