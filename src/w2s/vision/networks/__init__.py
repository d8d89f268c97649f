"""Vision networks: three that are published, and small ones that are trained here."""
