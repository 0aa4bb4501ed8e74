"""The schema: a file for each subject; `app/db/tables.py` is the door to all of them."""
