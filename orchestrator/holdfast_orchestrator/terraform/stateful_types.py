"""Which objects hold something that no re-creation brings back, and which updates go one way only.

Sources. The base list is cfn-lint's rule I3011 ("Check stateful resources have a set
UpdateReplacePolicy/DeletionPolicy", https://github.com/aws-cloudformation/cfn-lint), put into
Terraform's type names; cfn-lint leaves `AWS::S3::Bucket` out only because CloudFormation cannot delete
one with contents, which Terraform with `force_destroy` can. The second list is ours: objects whose
address, name servers, key material or value other things depend on, and what the schema of
hashicorp/aws 5.100.0 shows to have a deletion protection, a final snapshot or a waiting time.
"""

from dataclasses import dataclass

from holdfast_orchestrator.terraform.json_values import Document

CFN_LINT_TYPES = frozenset({
    "aws_backup_vault",
    "aws_cloudformation_stack",
    "aws_cloudwatch_log_group",
    "aws_cognito_user_pool",
    "aws_db_instance",
    "aws_dynamodb_global_table",
    "aws_dynamodb_table",
    "aws_ebs_volume",
    "aws_efs_file_system",
    "aws_elasticache_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticsearch_domain",
    "aws_emr_cluster",
    "aws_kinesis_stream",
    "aws_kms_key",
    "aws_opensearch_domain",
    "aws_organizations_account",
    "aws_qldb_ledger",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_redshift_cluster",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_simpledb_domain",
    "aws_sqs_queue",
})  # fmt: skip

ADDED_TYPES = frozenset({
    "aws_acm_certificate",
    "aws_ami",
    "aws_cloudtrail_event_data_store",
    "aws_db_snapshot",
    "aws_dsql_cluster",
    "aws_dynamodb_table_replica",
    "aws_ebs_snapshot",
    "aws_ecr_repository",
    "aws_ecrpublic_repository",
    "aws_eip",
    "aws_eks_cluster",
    "aws_glacier_vault",
    "aws_iam_access_key",
    "aws_iam_user",
    "aws_kms_alias",
    "aws_kms_external_key",
    "aws_kms_replica_external_key",
    "aws_kms_replica_key",
    "aws_lightsail_database",
    "aws_mq_broker",
    "aws_msk_cluster",
    "aws_neptunegraph_graph",
    "aws_opensearchserverless_collection",
    "aws_paymentcryptography_key",
    "aws_pinpointsmsvoicev2_phone_number",
    "aws_rds_global_cluster",
    "aws_route53_zone",
    "aws_s3_bucket_object",
    "aws_s3_directory_bucket",
    "aws_s3_object",
    "aws_s3tables_table",
    "aws_s3tables_table_bucket",
    "aws_secretsmanager_secret_version",
    "aws_vpc",
    "random_bytes",
    "random_id",
    "random_password",
    "tls_private_key",
})  # fmt: skip

PREFIXES = (
    "aws_acmpca_",
    "aws_docdb_",
    "aws_docdbelastic_",
    "aws_fsx_",
    "aws_keyspaces_",
    "aws_memorydb_cluster",
    "aws_memorydb_multi_region_cluster",
    "aws_neptune_",
    "aws_redshiftserverless_namespace",
    "aws_timestreamwrite_",
    "aws_timestreaminfluxdb_",
)

# Objects under a stateful prefix that hold settings only.
SETTINGS_SUFFIXES = ("_parameter_group", "_subnet_group", "_event_subscription", "_option_group")

SNAPSHOT_PREFIXES = (
    "aws_db_instance",
    "aws_docdb_cluster",
    "aws_dynamodb_table",
    "aws_ebs_volume",
    "aws_efs_file_system",
    "aws_elasticache_",
    "aws_fsx_",
    "aws_memorydb_cluster",
    "aws_neptune_cluster",
    "aws_rds_cluster",
    "aws_redshift_cluster",
)


@dataclass(frozen=True, slots=True)
class Protection:
    """What counts as stateful beyond the lists above: protected `addresses` of the manifest, and `types`."""

    addresses: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    def covers(self, address: str, kind: str, attributes: Document | None) -> bool:
        """Whether nothing automatic may delete, replace or re-create this object."""
        return address in self.addresses or kind in self.types or is_stateful(kind, attributes)


def is_stateful(kind: str, attributes: Document | None = None) -> bool:
    """Whether an object of this type holds something a re-creation does not bring back.

    `attributes` are the object's own; types that are stateful only sometimes count as stateful
    where the deciding attribute is not known.
    """
    if kind in CFN_LINT_TYPES or kind in ADDED_TYPES:
        return True
    match kind:
        case "aws_ssm_parameter":
            return (attributes or {}).get("type") in (None, "SecureString")
        case "aws_instance" | "aws_spot_instance_request":
            return _loses_disks(attributes)
    return kind.startswith(PREFIXES) and not kind.endswith(SETTINGS_SUFFIXES)


def has_snapshots(kind: str) -> bool:
    """Whether AWS can take a snapshot or backup of such an object before it is lost."""
    return kind.startswith(SNAPSHOT_PREFIXES) and not kind.endswith(SETTINGS_SUFFIXES)


def _loses_disks(attributes: Document | None) -> bool:
    if attributes is None:
        return True
    disks: list[Document] = [
        *(attributes.get("root_block_device") or ()),
        *(attributes.get("ebs_block_device") or ()),
    ]
    if attributes.get("ephemeral_block_device") or not disks:
        return True
    return any(disk.get("delete_on_termination") is not False for disk in disks)
