"""`rewardloop keys …`: one file a command."""
