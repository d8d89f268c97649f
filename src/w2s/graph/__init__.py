"""The run graph: artifacts, their identities and keys, the stages that make them. Knows no setting, and is light."""
