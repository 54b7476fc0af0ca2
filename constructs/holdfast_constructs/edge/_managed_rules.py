"""The AWS-managed rule groups the firewall uses: the rules in each, their labels, and what a group costs.

Source: AWS WAF Developer Guide, "AWS Managed Rules rule groups list", read in November 2026. Bot Control,
which costs extra, and AdminProtection, which blocks any path that begins with /admin, are left out.
"""

from collections.abc import Mapping
from types import MappingProxyType

MANAGED_RULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AWSManagedRulesAmazonIpReputationList": (
            "AWSManagedIPReputationList",
            "AWSManagedReconnaissanceList",
            "AWSManagedIPDDoSList",
        ),
        "AWSManagedRulesAnonymousIpList": ("AnonymousIPList", "HostingProviderIPList"),
        "AWSManagedRulesKnownBadInputsRuleSet": (
            "JavaDeserializationRCE_BODY",
            "JavaDeserializationRCE_HEADER",
            "JavaDeserializationRCE_QUERYSTRING",
            "JavaDeserializationRCE_URIPATH",
            "Host_localhost_HEADER",
            "PROPFIND_METHOD",
            "ExploitablePaths_URIPATH",
            "Log4JRCE_BODY",
            "Log4JRCE_HEADER",
            "Log4JRCE_QUERYSTRING",
            "Log4JRCE_URIPATH",
            "ReactJSRCE_BODY",
        ),
        "AWSManagedRulesCommonRuleSet": (
            "NoUserAgent_HEADER",
            "UserAgent_BadBots_HEADER",
            "SizeRestrictions_QUERYSTRING",
            "SizeRestrictions_Cookie_HEADER",
            "SizeRestrictions_BODY",
            "SizeRestrictions_URIPATH",
            "EC2MetaDataSSRF_BODY",
            "EC2MetaDataSSRF_COOKIE",
            "EC2MetaDataSSRF_URIPATH",
            "EC2MetaDataSSRF_QUERYARGUMENTS",
            "GenericLFI_QUERYARGUMENTS",
            "GenericLFI_URIPATH",
            "GenericLFI_BODY",
            "RestrictedExtensions_URIPATH",
            "RestrictedExtensions_QUERYARGUMENTS",
            "GenericRFI_QUERYARGUMENTS",
            "GenericRFI_BODY",
            "GenericRFI_URIPATH",
            "CrossSiteScripting_COOKIE",
            "CrossSiteScripting_QUERYARGUMENTS",
            "CrossSiteScripting_BODY",
            "CrossSiteScripting_URIPATH",
        ),
        "AWSManagedRulesSQLiRuleSet": (
            "SQLi_QUERYARGUMENTS",
            "SQLiExtendedPatterns_QUERYARGUMENTS",
            "SQLi_BODY",
            "SQLiExtendedPatterns_BODY",
            "SQLi_COOKIE",
        ),
    }
)
RATE_LIMIT = "RateLimit"

# The rules whose own action is Count: left alone they never block. All others block.
COUNTED_BY_AWS = frozenset({"AWSManagedIPDDoSList"})
# A request from a data centre is often another company's server calling an API: worth knowing, not blocking.
GENTLE_RULES = frozenset({"HostingProviderIPList", *COUNTED_BY_AWS})

# The capacity of each group, in web ACL capacity units (WCU).
GROUP_CAPACITY: Mapping[str, int] = MappingProxyType(
    {
        "AWSManagedRulesAmazonIpReputationList": 25,
        "AWSManagedRulesAnonymousIpList": 50,
        "AWSManagedRulesKnownBadInputsRuleSet": 200,
        "AWSManagedRulesCommonRuleSet": 700,
        "AWSManagedRulesSQLiRuleSet": 200,
    }
)

_NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "AWSManagedRulesAmazonIpReputationList": "amazon-ip-list",
        "AWSManagedRulesAnonymousIpList": "anonymous-ip-list",
        "AWSManagedRulesKnownBadInputsRuleSet": "known-bad-inputs",
        "AWSManagedRulesCommonRuleSet": "core-rule-set",
        "AWSManagedRulesSQLiRuleSet": "sql-database",
    }
)
# A label is called as its rule, but for the part of the request, and for these.
_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "BODY": "Body",
        "COOKIE": "Cookie",
        "HEADER": "Header",
        "METHOD": "Method",
        "QUERYARGUMENTS": "QueryArguments",
        "QUERYSTRING": "QueryString",
        "URIPATH": "URIPath",
    }
)
_OTHER_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "UserAgent_BadBots_HEADER": "BadBots_Header",
        "Host_localhost_HEADER": "Host_Localhost_Header",
        "PROPFIND_METHOD": "Propfind_Method",
    }
)


def label_of(rule: str) -> str:
    """Return the label that a managed rule puts on a request it matches, also where it only counts."""
    stem, _, part = rule.rpartition("_")
    name = _OTHER_LABELS.get(rule, f"{stem}_{_PARTS[part]}" if part in _PARTS else rule)
    return f"awswaf:managed:aws:{_NAMESPACES[group_of(rule)]}:{name}"


def group_of(rule: str) -> str:
    """Return the managed group that has a rule."""
    return next(group for group, rules in MANAGED_RULES.items() if rule in rules)
