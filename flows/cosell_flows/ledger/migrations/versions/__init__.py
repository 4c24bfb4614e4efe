"""One module a revision; `migrating.REVISIONS` lists them in order."""
