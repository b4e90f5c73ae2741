"""Every job of the command line as one call, with the command's names and defaults.

A call opens what it is given, sets the job up and runs it. Nothing is drawn or written unless the call says so.
"""
