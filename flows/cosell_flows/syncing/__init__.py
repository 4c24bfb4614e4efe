"""Keep two records in step: the three-way merge, the states that are allowed, and the writes that follow."""
