"""SOQL: read a query, check it against the schema, run it over the store."""
