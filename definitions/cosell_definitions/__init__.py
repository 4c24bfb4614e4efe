"""Room 1: what is written. Read, check and parse the YAML documents that ops people edit."""
