"""The decisions of a deploy, as pure functions: none of them has an effect.

Each module answers one question about plain documents (a plan as `terraform show -json` prints it, a state
in format 4, a cdk.tf.json configuration) and Terraform's own events. Nothing in here reads a file, a clock
or a bucket, so every answer can be tested in microseconds and explained afterwards from what the journal
kept. Import-linter holds that (`pyproject.toml`), here and in `terraform`.

    before the apply
      reversibility      what of this plan could not be undone?
      deferred_deletes   the configuration that puts every delete off until the new version is healthy
    after the apply
      apply_progress     which steps are done, in doubt, not started; what did this run create?
      verdict            applied after all, state not saved, in doubt, transient, definite
      state_recovery     a state that was lost, forked or damaged: which one counts now?
      imports            objects only the event file knows: back into a state
      adoption           objects nobody is sure of: ours to adopt, or somebody else's to leave alone
      verification       did the verify plan prove what it has to prove?
    going back
      configuration      the configuration to go back to
      guard              may this rollback plan be applied? (rules G1 to G10)
      bridge, skipping   what a rollback carries over, and what a person leaves out of it
      lock_owner         may a Terraform lock left behind be removed?

The rules that hold everywhere: an old state is never put back by itself; the newest state is the truth;
objects are compared by identity (type and id) and not by address; what is not understood is held, never
guessed.
"""
