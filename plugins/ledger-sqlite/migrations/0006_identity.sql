-- Format 6: who counts the revisions.
--
-- A target compares revisions of one ledger only: one that was begun anew counts from 1 again.

CREATE TABLE identity (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64)
) STRICT, WITHOUT ROWID;

INSERT INTO identity (id) VALUES (lower(hex(randomblob(8))));

CREATE TRIGGER identity_is_one BEFORE INSERT ON identity
BEGIN SELECT RAISE(ABORT, 'a ledger has one identity'); END;
CREATE TRIGGER identity_is_fixed BEFORE UPDATE ON identity
BEGIN SELECT RAISE(ABORT, 'the identity of a ledger is fixed'); END;
CREATE TRIGGER identity_stays BEFORE DELETE ON identity
BEGIN SELECT RAISE(ABORT, 'the identity of a ledger is fixed'); END;
