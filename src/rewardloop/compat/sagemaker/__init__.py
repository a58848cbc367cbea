"""Amazon SageMaker: endpoints, the bandits notebook, script mode, over what rewardloop has. No AWS account is needed."""
