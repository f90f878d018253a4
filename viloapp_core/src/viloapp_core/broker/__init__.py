"""What the host does on behalf of workers, with the person's authority and after a permission check.

Terminals today (`viloapp_core.broker.terminals`); the caller checks the permission before it asks.
"""
