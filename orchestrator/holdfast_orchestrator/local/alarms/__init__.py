"""How CloudWatch decides the state of alarms, as pure functions: statistics, metric math, evaluation, rules.

The local cloud evaluates alarms with them (`moto_patches/cloudwatch_evaluation.py`).
"""
