-- Format 4: each arrival of a record is answered.
--
-- A record that comes again by another arrival (an unchanged document in a later file) is a further row, which is owed
-- every result as the first one is. `ended`: a revision came by another arrival, so this one has its last answer.

-- A table whose uniqueness changes is made anew; `delivery` finds its rows again before the transaction ends.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE reference_before AS SELECT * FROM reference;

DROP TABLE reference;

CREATE TABLE reference (
    id           INTEGER PRIMARY KEY,
    document_id  INTEGER NOT NULL REFERENCES document (id),
    source       TEXT NOT NULL,
    record_id    TEXT NOT NULL,
    arrival      TEXT NOT NULL DEFAULT '',
    ended        INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
    location     TEXT NOT NULL,
    position     TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    attributes   TEXT NOT NULL,
    UNIQUE (source, record_id, arrival)
) STRICT;

INSERT INTO reference (id, document_id, source, record_id, location, position, content_hash, attributes)
SELECT id, document_id, source, record_id, location, position, content_hash, attributes FROM reference_before;

DROP TABLE reference_before;

CREATE INDEX reference_by_document ON reference (document_id, id);

-- Consequences.

DROP TRIGGER receipt_goes_to_outbox;

CREATE TRIGGER receipt_goes_to_outbox AFTER INSERT ON receipt
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT DISTINCT s.target, r.id, r.source, NEW.id
    FROM reference r JOIN subscription s ON s.source IN ('', r.source)
    WHERE r.document_id = NEW.document_id AND r.ended = 0
    ON CONFLICT (target, reference_id) DO UPDATE SET receipt_id = excluded.receipt_id;
END;

CREATE TRIGGER reference_goes_to_outbox AFTER INSERT ON reference
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT DISTINCT s.target, NEW.id, NEW.source, c.id
    FROM document d
    JOIN receipt c ON c.document_id = d.id AND c.revision = d.receipt_revision
    JOIN subscription s ON s.source IN ('', NEW.source)
    WHERE d.id = NEW.document_id
    ON CONFLICT (target, reference_id) DO NOTHING;
END;

CREATE TRIGGER reference_goes_on AFTER UPDATE OF ended ON reference
WHEN NEW.ended = 0 AND OLD.ended = 1
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT DISTINCT s.target, NEW.id, NEW.source, c.id
    FROM document d
    JOIN receipt c ON c.document_id = d.id AND c.revision = d.receipt_revision
    JOIN subscription s ON s.source IN ('', NEW.source)
    WHERE d.id = NEW.document_id
        AND NOT EXISTS (
            SELECT 1 FROM delivery v
            WHERE v.target = s.target AND v.reference_id = NEW.id AND v.revision >= d.receipt_revision
        )
    ON CONFLICT (target, reference_id) DO UPDATE SET receipt_id = excluded.receipt_id;
END;

DROP TRIGGER subscription_fills_outbox;

CREATE TRIGGER subscription_fills_outbox AFTER INSERT ON subscription
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT NEW.target, r.id, r.source, c.id
    FROM reference r
    JOIN document d ON d.id = r.document_id
    JOIN receipt c ON c.document_id = d.id AND c.revision = d.receipt_revision
    WHERE NEW.source IN ('', r.source) AND r.ended = 0
        AND NOT EXISTS (
            SELECT 1 FROM delivery v
            WHERE v.target = NEW.target AND v.reference_id = r.id AND v.revision >= d.receipt_revision
        )
    ON CONFLICT (target, reference_id) DO NOTHING;
END;
