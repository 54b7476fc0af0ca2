"""Which shards to split or merge, from what they hold and how they were deployed.

    thresholds   from where on something is worth a word, each number with its reason
    inside       a shard's configuration as groups of constructs and the references between them
    cut          the two parts of a graph that the fewest references cross, all in one direction
    history      run records as: when did a shard change, with which others, in how many seconds
    facts        what is known of a shard, and what is advised, as values
    decide       facts in, advice out
    steps        how to carry an advice out without losing an object
    reading      the facts, read from the app and its state buckets; the only one that reads anything

Nothing here changes anything: the user carries an advice out.
"""
