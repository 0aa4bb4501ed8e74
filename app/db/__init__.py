"""The database: tables, sessions, and one room per subject that is stored."""
