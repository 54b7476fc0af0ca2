"""How a failed deploy undoes itself: every decision, and not one effect.

Each module answers one question about plain documents (a plan as `terraform show -json` prints it,
a state in format 4, a cdk.tf.json configuration) and Terraform's own events. Nothing in here reads a
file, a clock or a bucket, so every answer can be tested in microseconds and explained afterwards from
what the journal kept.

    before the apply
      forward_gate     what of this plan could not be undone?
      staging          the configuration that puts every delete off until the new version is healthy
      state_objects    is the stored state the one we recorded? (`compare`)
    after the apply
      progress         which steps are done, in doubt, not started; what did this run create?
      classify         applied after all, state not saved, in doubt, transient, definite
      recovery         a state that was lost, forked or damaged: which one counts now?
      imports          objects only the event file knows: back into a state
      adoption         objects nobody is sure of: ours to adopt, or somebody else's to leave alone
      verify           did the verify plan prove what it has to prove?
    undoing
      state_edits      what no configuration can say: deposed objects swapped back, swapped addresses
      rollback_config  the configuration to go back to
      guard            may this rollback plan be applied? (rules G1 to G10)
    throughout
      documents, addresses, references, changes, identities, stateful, one_way, provider_blocks, versions,
      plan_file        the vocabulary
      machine          the states of one shard's deploy, and what a restart does in each
      restore_diff     what putting an old state back by hand would orphan and bring back
      locks            may a Terraform lock left behind be removed?

The rules that hold everywhere: an old state is never put back by itself; the newest state is the
truth; objects are compared by identity (type and id) and not by address; what is not understood is
held, never guessed.
"""
