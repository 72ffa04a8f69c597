"""What the proofs share: a generated project, its processes, its database, clients and a report."""
