"""Decision Service JSON, the log format of Azure Personalizer and Vowpal Wabbit.

Read       `reading` makes an event a native row of history; `slots` its slots, where it decided over several
Written    `writing`
"""
