"""Faust made loss-free: stages of pure cores on Kafka. Imports nothing of the product."""
