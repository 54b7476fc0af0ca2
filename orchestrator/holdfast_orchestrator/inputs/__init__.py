"""What a deploy reads beside its configuration: files, assets, local modules and variables.

    expressions.py which functions of Terraform read files, and the paths they are given
    reach.py       which files may be kept: those of the app; where each lies, seen from the stack's folder
    modules.py     what a module reads: other modules, files, what cannot be known
    capture.py     from a synthesized stack to its inputs
    variables.py   TF_VAR_*, --var and --var-file, as far as a stack declares them
    place.py       into the folder Terraform works in
    keep.py        into the bucket, and back
    compare.py     which of them are others than they were
    kept.py        those that an artifact was deployed with

The values are in `app/inputs.py`.

Found by reading the configuration, never by running anything. A path that is computed is named as a doubt.
"""
