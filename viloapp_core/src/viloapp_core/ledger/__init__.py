"""What people decided about permissions, and the log of what became of it.

ledger = Ledger(store.root)
ledger.decide("hello", [Permission.parse("network.connect.example.com")], "granted", by="command")
ledger.standing("hello", plugin.permissions).effective
"""

from viloapp_core.ledger.audit import AuditLog, read_audit
from viloapp_core.ledger.entries import Entry, Standing, consented_by, standing
from viloapp_core.ledger.errors import LedgerError
from viloapp_core.ledger.gate import Gate
from viloapp_core.ledger.ledger import Ledger

__all__ = [
    "AuditLog",
    "Entry",
    "Gate",
    "Ledger",
    "LedgerError",
    "Standing",
    "consented_by",
    "read_audit",
    "standing",
]
