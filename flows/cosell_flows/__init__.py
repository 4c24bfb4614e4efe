"""Room 4: what runs. Its wings import downwards only, in the order of `tests/test_house.py`."""
