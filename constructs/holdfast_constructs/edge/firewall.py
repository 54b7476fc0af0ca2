"""The web application firewall: managed rule groups, a limit per address, and a log without secrets.

It begins by counting. What it would have blocked is in its log and its metrics; when that holds nothing a
customer sent, `mode="block"`. A rule that meets honest requests gets an exception for their host and path, or
stays on `count` by its name. With SizeRestrictions_BODY that costs more than the rule: WAF reads only the
first 8 KB of a body on its way to a load balancer, so an attack that is padded by as much passes every other
rule that reads bodies. An exception keeps that to one path; large uploads go to S3 with a signed URL instead.
"""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.wafv2_ip_set import Wafv2IpSet
from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAcl,
    Wafv2WebAclDefaultAction,
    Wafv2WebAclDefaultActionAllow,
    Wafv2WebAclVisibilityConfig,
)
from cdktf_cdktf_provider_aws.wafv2_web_acl_association import Wafv2WebAclAssociation
from cdktf_cdktf_provider_aws.wafv2_web_acl_logging_configuration import (
    Wafv2WebAclLoggingConfiguration,
    Wafv2WebAclLoggingConfigurationLoggingFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition,
    Wafv2WebAclLoggingConfigurationRedactedFields,
    Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.edge._firewall_addresses import Version, by_version, check_apart
from holdfast_constructs.edge._firewall_capacity import capacity_of
from holdfast_constructs.edge._firewall_rules import Filters, Mode, firewall_rules, visibility
from holdfast_constructs.edge.firewall_exception import FirewallException
from holdfast_constructs.edge.rate_limit import RateLimit
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import Condition, Statement, from_this_account, policy_json

REDACTED_HEADERS = ("authorization", "cookie")
LOGGED_ACTIONS = ("BLOCK", "COUNT")


@checked
class Firewall(Construct):
    """A regional WAFv2 web ACL; a LoadBalancer takes it as `firewall`.

    `mode` says what its rules do with a match, `rule_modes` names the rules or managed groups that differ.
    `exceptions` are hosts and paths where some of them only count. `rate_limit` is the number of requests one
    address may make in five minutes (10-2,000,000,000), `rate_limits` are others for single hosts and paths;
    above a limit that blocks, the answer is 429. `block_addresses` are always refused, and `allow_addresses`
    always let through, by any rule: addresses and ranges of IPv4 and IPv6. `logs_key` encrypts the log.
    `capacity` is what the rules cost, in web ACL capacity units: more than 1,500 cost extra.

    Raises ConstructError for an unknown rule, a limit or an address that AWS does not take, for an address
    that is in both lists, and for more limits (10) or capacity (5,000) than a web ACL has.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        logs_key: EncryptionKey,
        mode: Mode = "count",
        rate_limit: int = 2000,
        rule_modes: Mapping[str, Mode] | None = None,
        exceptions: Sequence[FirewallException] = (),
        rate_limits: Sequence[RateLimit] = (),
        allow_addresses: Sequence[str] = (),
        block_addresses: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._name = aws_name("web_acl", self._stack.target, self._stack.service, id_)
        allowed = by_version("allow_addresses", allow_addresses)
        blocked = by_version("block_addresses", block_addresses)
        check_apart(allowed, blocked)
        rules = firewall_rules(
            Filters(
                mode=mode,
                rate_limit=rate_limit,
                rule_modes=rule_modes or {},
                rate_limits=rate_limits,
                exceptions=exceptions,
                allowed=self._ip_sets("allowed", allowed),
                blocked=self._ip_sets("blocked", blocked),
            )
        )
        self.capacity = capacity_of(rules)
        self.web_acl = Wafv2WebAcl(
            self,
            "web-acl",
            name=self._name,
            description=f"In front of {self._stack.service} in {self._stack.target.environment}",
            scope="REGIONAL",
            default_action=Wafv2WebAclDefaultAction(allow=Wafv2WebAclDefaultActionAllow()),
            visibility_config=Wafv2WebAclVisibilityConfig(**visibility(self._name)),
        )
        self.web_acl.add_override("rule", rules)
        self.log_group = self._make_log_group(logs_key)
        self._log_matches()

    @property
    def arn(self) -> str:
        """The web ACL's ARN."""
        return self.web_acl.arn

    def protect(self, scope: Construct, id_: str, *, resource_arn: str) -> None:
        """Put the firewall in front of `resource_arn`; the association is created in `scope` as `id_`."""
        Wafv2WebAclAssociation(scope, id_, resource_arn=resource_arn, web_acl_arn=self.arn)

    def _ip_sets(self, id_: str, ranges: Mapping[Version, list[str]]) -> list[str]:
        """Make a set of each version of addresses; return their ARNs."""
        return [
            Wafv2IpSet(
                self,
                f"{id_}-{version.lower()}",
                name=aws_name(
                    "web_acl",
                    self._stack.target,
                    self._stack.service,
                    self.node.id,
                    f"{id_}-{version.lower()}",
                ),
                description=f"Addresses {id_} in front of {self._stack.service}",
                scope="REGIONAL",
                ip_address_version=version,
                addresses=each,
            ).arn
            for version, each in ranges.items()
        ]

    def _make_log_group(self, logs_key: EncryptionKey) -> CloudwatchLogGroup:
        return CloudwatchLogGroup(
            self,
            "log",
            # WAF writes to no group whose name begins otherwise.
            name=f"aws-waf-logs-{self._name}",
            retention_in_days=self._stack.target.log_retention_days,
            kms_key_id=logs_key.arn,
        )

    def _log_matches(self) -> None:
        delivery = CloudwatchLogResourcePolicy(
            self,
            "log-policy",
            policy_name=f"aws-waf-logs-{self._name}",
            policy_document=policy_json(self, "log-delivery", self._delivery()),
        )
        Wafv2WebAclLoggingConfiguration(
            self,
            "logging",
            resource_arn=self.web_acl.arn,
            log_destination_configs=[self.log_group.arn],
            logging_filter=_only_matches(),
            redacted_fields=[_redacted(header) for header in REDACTED_HEADERS],
            depends_on=[delivery],
        )

    def _delivery(self) -> Statement:
        target = self._stack.target
        sources = f"arn:{target.partition}:logs:{target.region}:{target.account}:*"
        return Statement(
            sid="FirewallLog",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(f"{self.log_group.arn}:*",),
            services=("delivery.logs.amazonaws.com",),
            conditions=(from_this_account(target), Condition("ArnLike", "aws:SourceArn", (sources,))),
        )


def _only_matches() -> Wafv2WebAclLoggingConfigurationLoggingFilter:
    """Requests that met no rule are the load balancer's to log."""
    conditions = [
        Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition(
            action_condition=Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition(
                action=action
            )
        )
        for action in LOGGED_ACTIONS
    ]
    keep = Wafv2WebAclLoggingConfigurationLoggingFilterFilter(
        behavior="KEEP", requirement="MEETS_ANY", condition=conditions
    )
    return Wafv2WebAclLoggingConfigurationLoggingFilter(default_behavior="DROP", filter=[keep])


def _redacted(header: str) -> Wafv2WebAclLoggingConfigurationRedactedFields:
    return Wafv2WebAclLoggingConfigurationRedactedFields(
        single_header=Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(name=header)
    )
