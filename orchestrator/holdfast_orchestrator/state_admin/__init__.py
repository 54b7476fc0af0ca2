"""What a person does to a state itself: taking one over from somewhere else."""
