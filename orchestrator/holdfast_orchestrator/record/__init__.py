"""What is kept of every run, in the state bucket, so that any machine can read it or carry it on.

    actor        who is deploying, from where, at which git revision
    artifact     what was deployed: configuration, provider lock, versions; named by its content
    journal/     what a run was about to do and had done, shard by shard; what a restart reads
    last_good    per shard: the deployment to go back to; writing it is what "committed" means
    state_record per shard: which state to expect, and what a failed deploy left unsettled
    fingerprint  in it: what must be the same for the next deploy to be skipped
    shard_record a shard as records keep it; identities: objects
    runs         one record per run: `holdfast runs`, `holdfast show`
    audit/       one record per action, chained, immutable: `holdfast audit`

                                              changed after it was written?
    _holdfast/artifacts/<sha256>              never
    _holdfast/runs/<run>/run.json             once, when the run ends
    _holdfast/runs/<run>/journal/<shard>/…    never
    _holdfast/last-good/<state folder>.json   at each promotion
    _holdfast/audit/date=…/<run>-<n>.jsonl    never; `_holdfast/audit-head.json` with each record
    _holdfast/audit-raw/date=…/…              never; can be switched off

Nothing here decides anything, and everything is written under a condition: a second writer is noticed.
"""
