-- The ledger file, format 1.
--
-- Moments are microseconds since 1970-01-01T00:00:00Z. JSON columns hold what the program reads back
-- whole. What happened is immutable (revision, attempt, reply, receipt, delivery, audit); only `document`
-- changes, and only along `legal_move`. Each change of a document leaves its audit row, and each
-- new receipt revision its outbox rows, by trigger: no writer can forget them.

CREATE TABLE legal_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;

INSERT INTO legal_move (from_state, to_state) VALUES
    ('received', 'invalid'), ('received', 'ready'),
    ('invalid', 'ready'),
    ('ready', 'sent'), ('ready', 'invalid'),
    ('sent', 'registered'), ('sent', 'refused'), ('sent', 'unknown'), ('sent', 'ready'),
    ('unknown', 'registered'), ('unknown', 'refused'), ('unknown', 'cancelled'),
    ('unknown', 'conflict'), ('unknown', 'ready'),
    ('refused', 'ready'), ('refused', 'burnt'),
    ('registered', 'cancelling'), ('registered', 'rejected_by_registry'),
    ('cancelling', 'cancelled'), ('cancelling', 'registered'),
    ('conflict', 'unknown');

CREATE TABLE document (
    id                 INTEGER PRIMARY KEY,
    source             TEXT NOT NULL,
    label              TEXT NOT NULL,
    document_key       TEXT,
    key_upper          TEXT UNIQUE,
    supplier           TEXT,
    irn                TEXT,
    search             TEXT NOT NULL,
    state              TEXT NOT NULL,
    ewb_state          TEXT NOT NULL DEFAULT 'none',
    revision           INTEGER NOT NULL,
    content_hash       BLOB NOT NULL,
    findings           TEXT NOT NULL,
    portal_findings    TEXT NOT NULL DEFAULT '[]',
    differences        TEXT NOT NULL DEFAULT '[]',
    last_attempt       INTEGER REFERENCES attempt (id),
    registration_reply INTEGER REFERENCES reply (id),
    open_reply         INTEGER REFERENCES reply (id),
    ask_at             INTEGER,
    asked              INTEGER NOT NULL DEFAULT 0,
    lease_owner        TEXT,
    lease_until        INTEGER NOT NULL DEFAULT 0,
    receipt_revision   INTEGER NOT NULL DEFAULT 0,
    receipt_state      TEXT,
    received_at        INTEGER NOT NULL,
    changed_at         INTEGER NOT NULL,
    events             INTEGER NOT NULL DEFAULT 1,
    event              TEXT NOT NULL,
    event_details      TEXT,
    event_reply        INTEGER REFERENCES reply (id),
    CHECK (state IN ('received', 'invalid', 'ready', 'sent', 'registered', 'refused', 'unknown', 'conflict',
                     'burnt', 'cancelling', 'cancelled', 'rejected_by_registry')),
    CHECK (state IN ('received', 'invalid') OR (key_upper IS NOT NULL AND irn IS NOT NULL)),
    CHECK (state IN ('received', 'invalid', 'ready') OR last_attempt IS NOT NULL),
    CHECK (state <> 'unknown' OR ask_at IS NOT NULL),
    CHECK (state NOT IN ('registered', 'cancelling', 'cancelled', 'conflict', 'rejected_by_registry')
           OR registration_reply IS NOT NULL)
) STRICT;

-- Leases have no index: documents that are sent are few, and every index on what changes with each
-- move is paid for by each document.
CREATE INDEX document_by_state ON document (state, id);
CREATE INDEX document_ready_by_supplier ON document (supplier, id) WHERE state = 'ready';
CREATE INDEX document_unknown_by_time ON document (ask_at, id) WHERE state = 'unknown';

-- What a record said, each time it said something else. The payload comes last: a column behind a
-- long one is read through all of it.
CREATE TABLE revision (
    id           INTEGER PRIMARY KEY,
    document_id  INTEGER NOT NULL REFERENCES document (id),
    number       INTEGER NOT NULL,
    content_hash BLOB NOT NULL,
    ready        INTEGER NOT NULL CHECK (ready IN (0, 1)),
    payload_hash BLOB,
    findings     TEXT NOT NULL,
    at           INTEGER NOT NULL,
    payload      BLOB,
    UNIQUE (document_id, number),
    CHECK (ready = 0 OR (payload IS NOT NULL AND payload_hash IS NOT NULL))
) STRICT;

-- A record of a source; several may bring one document.
CREATE TABLE reference (
    id           INTEGER PRIMARY KEY,
    document_id  INTEGER NOT NULL REFERENCES document (id),
    source       TEXT NOT NULL,
    record_id    TEXT NOT NULL,
    location     TEXT NOT NULL,
    position     TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    attributes   TEXT NOT NULL,
    UNIQUE (source, record_id)
) STRICT;

CREATE INDEX reference_by_document ON reference (document_id, id);

CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An intent: stored before a byte leaves.
CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    document_id  INTEGER NOT NULL REFERENCES document (id),
    number       INTEGER NOT NULL,
    worker       TEXT NOT NULL,
    route        TEXT NOT NULL,
    site         TEXT NOT NULL,
    gstin        TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    at           INTEGER NOT NULL,
    UNIQUE (document_id, number)
) STRICT;

-- What came back: the one outcome of an attempt, or what asking brought. Registrations live here.
CREATE TABLE reply (
    id          INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document (id),
    attempt_id  INTEGER REFERENCES attempt (id),
    kind        TEXT NOT NULL CHECK (kind IN ('outcome', 'settlement')),
    at          INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX reply_outcome ON reply (attempt_id) WHERE kind = 'outcome';
CREATE INDEX reply_settlement ON reply (attempt_id) WHERE kind = 'settlement';

-- What the books should show, as it stood when the revision was made.
CREATE TABLE receipt (
    id                 INTEGER PRIMARY KEY,
    document_id        INTEGER NOT NULL REFERENCES document (id),
    revision           INTEGER NOT NULL,
    label              TEXT NOT NULL,
    document_key       TEXT,
    irn                TEXT,
    state              TEXT NOT NULL,
    ewb_state          TEXT NOT NULL,
    registration_reply INTEGER REFERENCES reply (id),
    findings           TEXT NOT NULL,
    portal_findings    TEXT NOT NULL,
    at                 INTEGER NOT NULL,
    UNIQUE (document_id, revision)
) STRICT;

-- Which target wants receipts of which source; source '' stands for all.
CREATE TABLE subscription (
    target TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;

-- The receipts a target has not got yet: one row for each record, the latest revision.
CREATE TABLE outbox (
    target       TEXT NOT NULL,
    reference_id INTEGER NOT NULL,
    source       TEXT NOT NULL,
    receipt_id   INTEGER NOT NULL,
    PRIMARY KEY (target, reference_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_oldest ON outbox (target, receipt_id, reference_id);

-- The revisions each target has, and since when.
CREATE TABLE delivery (
    reference_id INTEGER NOT NULL REFERENCES reference (id),
    target       TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (reference_id, target, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    document_id INTEGER NOT NULL REFERENCES document (id),
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    from_state  TEXT,
    to_state    TEXT NOT NULL,
    event       TEXT NOT NULL,
    details     TEXT,
    reply_id    INTEGER REFERENCES reply (id),
    PRIMARY KEY (document_id, number)
) STRICT, WITHOUT ROWID;

-- Guards.

CREATE TRIGGER document_starts_unsent BEFORE INSERT ON document
WHEN NEW.state NOT IN ('received', 'invalid', 'ready')
BEGIN
    SELECT RAISE(ABORT, 'a document starts as received, invalid or ready');
END;

CREATE TRIGGER document_moves_legally BEFORE UPDATE OF state ON document
WHEN NEW.state <> OLD.state
    AND NOT EXISTS (SELECT 1 FROM legal_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN
    SELECT RAISE(ABORT, 'illegal move of a document');
END;

CREATE TRIGGER document_is_sent_by_intent BEFORE UPDATE OF state ON document
WHEN NEW.state = 'sent' AND OLD.state <> 'sent' AND (
    NEW.last_attempt IS OLD.last_attempt
    OR NOT EXISTS (SELECT 1 FROM attempt WHERE id = NEW.last_attempt AND document_id = NEW.id)
)
BEGIN
    SELECT RAISE(ABORT, 'a document is sent only with a new intent');
END;

CREATE TRIGGER document_keeps_what_was_sent
BEFORE UPDATE OF document_key, key_upper, supplier, irn, revision, content_hash ON document
WHEN OLD.state NOT IN ('received', 'invalid', 'ready', 'refused') AND (
    NEW.document_key IS NOT OLD.document_key OR NEW.irn IS NOT OLD.irn OR NEW.revision <> OLD.revision
    OR NEW.key_upper IS NOT OLD.key_upper OR NEW.content_hash <> OLD.content_hash
)
BEGIN
    SELECT RAISE(ABORT, 'what was sent cannot be replaced');
END;

CREATE TRIGGER document_stays BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'documents are kept'); END;

CREATE TRIGGER revision_is_fixed BEFORE UPDATE ON revision
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;
CREATE TRIGGER revision_stays BEFORE DELETE ON revision
BEGIN SELECT RAISE(ABORT, 'revisions are immutable'); END;

CREATE TRIGGER attempt_is_fixed BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are immutable'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are immutable'); END;

CREATE TRIGGER reply_is_fixed BEFORE UPDATE ON reply
BEGIN SELECT RAISE(ABORT, 'replies are immutable'); END;
CREATE TRIGGER reply_stays BEFORE DELETE ON reply
BEGIN SELECT RAISE(ABORT, 'replies are immutable'); END;

CREATE TRIGGER receipt_is_fixed BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are immutable'); END;
CREATE TRIGGER receipt_stays BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'receipts are immutable'); END;

CREATE TRIGGER delivery_is_fixed BEFORE UPDATE ON delivery
BEGIN SELECT RAISE(ABORT, 'deliveries are immutable'); END;
CREATE TRIGGER delivery_stays BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'deliveries are immutable'); END;

CREATE TRIGGER audit_is_fixed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is immutable'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is immutable'); END;

-- Consequences.

CREATE TRIGGER document_audits_its_start AFTER INSERT ON document
BEGIN
    INSERT INTO audit (document_id, number, at, from_state, to_state, event, details, reply_id)
    VALUES (NEW.id, 1, NEW.changed_at, NULL, NEW.state, NEW.event, NEW.event_details, NEW.event_reply);
END;

CREATE TRIGGER document_audits_its_changes AFTER UPDATE OF state, events ON document
WHEN NEW.state <> OLD.state OR NEW.events <> OLD.events
BEGIN
    INSERT INTO audit (document_id, number, at, from_state, to_state, event, details, reply_id)
    VALUES (
        NEW.id, (SELECT max(number) + 1 FROM audit WHERE document_id = NEW.id), NEW.changed_at, OLD.state, NEW.state,
        CASE WHEN NEW.events = OLD.events THEN 'changed by another program' ELSE NEW.event END,
        CASE WHEN NEW.events = OLD.events THEN NULL ELSE NEW.event_details END,
        CASE WHEN NEW.events = OLD.events THEN NULL ELSE NEW.event_reply END
    );
END;

CREATE TRIGGER document_starts_with_receipt AFTER INSERT ON document
WHEN NEW.receipt_revision > 0
BEGIN
    INSERT INTO receipt (document_id, revision, label, document_key, irn, state, ewb_state, registration_reply,
                         findings, portal_findings, at)
    VALUES (NEW.id, NEW.receipt_revision, NEW.label, NEW.document_key, NEW.irn, NEW.state, NEW.ewb_state,
            NEW.registration_reply, NEW.findings, NEW.portal_findings, NEW.changed_at);
END;

CREATE TRIGGER document_makes_receipt AFTER UPDATE OF receipt_revision ON document
WHEN NEW.receipt_revision <> OLD.receipt_revision
BEGIN
    INSERT INTO receipt (document_id, revision, label, document_key, irn, state, ewb_state, registration_reply,
                         findings, portal_findings, at)
    VALUES (NEW.id, NEW.receipt_revision, NEW.label, NEW.document_key, NEW.irn, NEW.state, NEW.ewb_state,
            NEW.registration_reply, NEW.findings, NEW.portal_findings, NEW.changed_at);
END;

CREATE TRIGGER receipt_goes_to_outbox AFTER INSERT ON receipt
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT DISTINCT s.target, r.id, r.source, NEW.id
    FROM reference r JOIN subscription s ON s.source IN ('', r.source)
    WHERE r.document_id = NEW.document_id
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

CREATE TRIGGER subscription_fills_outbox AFTER INSERT ON subscription
BEGIN
    INSERT INTO outbox (target, reference_id, source, receipt_id)
    SELECT NEW.target, r.id, r.source, c.id
    FROM reference r
    JOIN document d ON d.id = r.document_id
    JOIN receipt c ON c.document_id = d.id AND c.revision = d.receipt_revision
    WHERE NEW.source IN ('', r.source)
        AND NOT EXISTS (
            SELECT 1 FROM delivery v
            WHERE v.target = NEW.target AND v.reference_id = r.id AND v.revision >= d.receipt_revision
        )
    ON CONFLICT (target, reference_id) DO NOTHING;
END;

CREATE TRIGGER delivery_clears_outbox AFTER INSERT ON delivery
BEGIN
    DELETE FROM outbox
    WHERE target = NEW.target AND reference_id = NEW.reference_id
        AND (SELECT revision FROM receipt WHERE id = outbox.receipt_id) <= NEW.revision;
END;
