"""`python -m rewardloop`: the same as the command `rewardloop`."""

from rewardloop.cli import main

if __name__ == "__main__":
    main()
