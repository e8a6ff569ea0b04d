"""Rules about setup."""
