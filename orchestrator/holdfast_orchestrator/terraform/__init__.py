"""Terraform's documents and what is known of its types: pure, without any effect."""
