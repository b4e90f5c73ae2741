"""Series of measures in time: is the process in control, and does it hold its specification?"""
