"""From an `EvidenceImage` to a `Detection`: tiles, session, blending, verdict."""
