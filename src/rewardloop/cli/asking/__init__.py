"""What a command is asked for.

Options    `options` that many commands share
Which one  `meant`: an experiment by its YAML file or by its name; `opening` opens it; `target`: that, or a file of another system
Beginning  `new_file`, never over another
"""
