"""The pruning methods; each only chooses what stays."""
