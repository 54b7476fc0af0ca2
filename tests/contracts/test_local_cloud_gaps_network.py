"""The gaps of EC2's security groups, of IAM's OpenID Connect providers, of Cloud Map and of Route 53.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.


def described(clients: Clients, pair: dict[str, Any]) -> object:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **pair}
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0][
        "Description"
    ]


def other_group(clients: Clients) -> str:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_security_group(GroupName="o", Description="o", VpcId=vpc)["GroupId"])


def a_rule_for_a_group_keeps_its_description(clients: Clients) -> object:
    pair = {"GroupId": other_group(clients), "Description": "from o"}
    return described(clients, {"UserIdGroupPairs": [pair]})


def a_rule_for_a_prefix_list_keeps_its_description(clients: Clients) -> object:
    made = clients("ec2").create_managed_prefix_list(PrefixListName="p", MaxEntries=1, AddressFamily="IPv4")
    entry = {"PrefixListId": made["PrefixList"]["PrefixListId"], "Description": "to p"}
    return described(clients, {"PrefixListIds": [entry]})


def changed(clients: Clients) -> Any:
    ec2, first, second = clients("ec2"), other_group(clients), other_group(clients)
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
    pair = {"GroupId": first, "Description": "before"}
    made = ec2.authorize_security_group_ingress(
        GroupId=first, IpPermissions=[{**permission, "UserIdGroupPairs": [pair]}]
    )
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    new = {**permission, "ReferencedGroupId": second, "Description": "after"}
    ec2.modify_security_group_rules(
        GroupId=first, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": new}]
    )
    seen = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    return seen["Description"], seen["ReferencedGroupInfo"]["GroupId"] == second


def the_group_of_a_rule_can_be_changed(clients: Clients) -> object:
    return changed(clients)[1]


def test_the_description_of_a_rule_can_be_changed(local_clients: Clients) -> None:
    assert changed(local_clients)[0] == "after"


def client_ids_come_and_go(clients: Clients) -> object:
    iam = clients("iam")
    arn = iam.create_open_id_connect_provider(
        Url="https://example.com", ClientIDList=["one"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    return iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]


def test_two_rules_that_differ_in_their_description_only_are_one(local_clients: Clients) -> None:
    ec2, other = local_clients("ec2"), other_group(local_clients)
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}

    def add(words: str) -> None:
        pair = {"GroupId": other, "Description": words}
        ec2.authorize_security_group_ingress(
            GroupId=other, IpPermissions=[{**permission, "UserIdGroupPairs": [pair]}]
        )

    add("first")

    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        add("second")


def a_flow_log_to_a_folder_keeps_its_options(clients: Clients) -> object:
    ec2 = clients("ec2")
    here = {"LocationConstraint": "eu-west-1"}
    clients("s3").create_bucket(Bucket="flow-logs", CreateBucketConfiguration=here)
    made = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]],
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flow-logs/some/folder/",
        DestinationOptions={"FileFormat": "parquet"},
    )
    seen = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"][0]
    return seen["LogDestination"], seen["DestinationOptions"]["FileFormat"]


def the_zone_of_a_namespace_that_ended(clients: Clients) -> object:
    names = clients("servicediscovery")
    names.create_private_dns_namespace(Name="ended.internal", Vpc="vpc-1")
    zones = len(clients("route53").list_hosted_zones()["HostedZones"])
    for namespace in names.list_namespaces()["Namespaces"]:
        names.delete_namespace(Id=namespace["Id"])
    return zones - len(clients("route53").list_hosted_zones()["HostedZones"])


def ids_of_zones(clients: Clients) -> object:
    made = [
        clients("route53").create_hosted_zone(Name=f"z{number}.test", CallerReference=f"z{number}")
        for number in range(20)
    ]
    return {zone["HostedZone"]["Id"].removeprefix("/hostedzone/")[0] for zone in made}


PROBES: Probes = {
    a_rule_for_a_group_keeps_its_description: ("from o", "ec2_rule_descriptions"),
    a_rule_for_a_prefix_list_keeps_its_description: ("to p", "ec2_rule_descriptions"),
    the_group_of_a_rule_can_be_changed: (True, "ec2_rule_descriptions"),
    client_ids_come_and_go: (["two"], "iam_oidc_clients"),
    a_flow_log_to_a_folder_keeps_its_options: (
        ("arn:aws:s3:::flow-logs/some/folder/", "parquet"),
        "ec2_flow_logs",
    ),
    ids_of_zones: ({"Z"}, "route53_zone_ids"),
    the_zone_of_a_namespace_that_ended: (1, "servicediscovery_zones"),
}


class TestGaps(Gaps):
    probes = PROBES
