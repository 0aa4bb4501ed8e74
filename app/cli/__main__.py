"""`python -m app.cli` is the command `whichtweet`: how its processes start one another."""

from app.cli import main

main()
