"""`rewardloop import …`: one file a command."""
