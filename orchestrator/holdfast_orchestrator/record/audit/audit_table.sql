CREATE EXTERNAL TABLE IF NOT EXISTS holdfast_audit (
  `schema` string,
  n bigint,
  prev string,
  day string,
  run string,
  action string,
  `at` string,
  actor string,
  actor_kind string,
  host string,
  link string,
  aws string,
  git string,
  command string,
  environments array<string>,
  services array<string>,
  shards array<string>,
  verdicts map<string,string>,
  outcome string,
  outcomes map<string,string>,
  seconds map<string,double>,
  output string,
  part int,
  parts int,
  id string
)
PARTITIONED BY (`date` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://{bucket}/_holdfast/audit/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2026-01-01,NOW',
  'storage.location.template' = 's3://{bucket}/_holdfast/audit/date=${{date}}/'
)
