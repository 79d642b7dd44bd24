"""The store in a Redis, which several servers share.

Every node has all records in memory; Redis says who wins a commit, and the order of all of them.
"""
