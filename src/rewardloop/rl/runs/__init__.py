"""Runs: a training with all that it leaves behind, in a folder of its own.

On disk    `run`: manifest, lock, and whose checkpoint it is; `checkpoints`, each whole or absent; `eventfiles` for TensorBoard
In time    `training` takes a run from its plan to its end, and on after a kill
"""
