"""Rules about which thread runs what."""
