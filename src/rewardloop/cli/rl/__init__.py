"""`rewardloop rl …`: one file a command."""
