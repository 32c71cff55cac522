-- Format 2: jobs on what is registered, and e-way bills.
--
-- A job changes only along `legal_job_move`, is sent only with a new intent, and never again once it is over.
-- Each change of a job leaves its row in `job_event`, by trigger, as a document's does in `audit`.

CREATE TABLE legal_job_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;

INSERT INTO legal_job_move (from_state, to_state) VALUES
    ('planned', 'sent'), ('planned', 'refused'), ('planned', 'withdrawn'),
    ('sent', 'planned'), ('sent', 'done'), ('sent', 'refused'), ('sent', 'unknown'),
    ('unknown', 'planned'), ('unknown', 'done'), ('unknown', 'refused'), ('unknown', 'unknown');

CREATE TABLE job (
    id             INTEGER PRIMARY KEY,
    task           TEXT NOT NULL,
    steps          TEXT NOT NULL,
    position       INTEGER NOT NULL DEFAULT 0,
    state          TEXT NOT NULL DEFAULT 'planned',
    document_id    INTEGER REFERENCES document (id),
    gstin          TEXT NOT NULL,
    route          TEXT,
    site           TEXT,
    not_before     INTEGER,
    deadline       INTEGER,
    due_at         INTEGER NOT NULL,
    last_intent    INTEGER REFERENCES step_intent (id),
    sendings       INTEGER NOT NULL DEFAULT 0,
    asked          INTEGER NOT NULL DEFAULT 0,
    lease_owner    TEXT,
    lease_until    INTEGER NOT NULL DEFAULT 0,
    message        TEXT NOT NULL,
    errors         TEXT NOT NULL DEFAULT '[]',
    effects        TEXT NOT NULL DEFAULT '[]',
    -- What was recorded last, and by whom: told again it changes nothing.
    outcome        TEXT,
    outcome_worker TEXT,
    planned_at     INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    events         INTEGER NOT NULL DEFAULT 1,
    CHECK (state IN ('planned', 'sent', 'unknown', 'done', 'refused', 'withdrawn')),
    CHECK (state NOT IN ('sent', 'unknown', 'done') OR last_intent IS NOT NULL),
    CHECK (state <> 'done' OR position = json_array_length(steps)),
    CHECK (state NOT IN ('done', 'refused', 'withdrawn') OR lease_owner IS NULL),
    CHECK (position BETWEEN 0 AND json_array_length(steps))
) STRICT;

CREATE INDEX job_by_state ON job (state, id);
CREATE INDEX job_by_document ON job (document_id, id) WHERE document_id IS NOT NULL;

-- What a job changes: `document:7`, `bill:391009149369`, or the paper a bill is to be made for. One subject
-- has one open job.
CREATE TABLE job_subject (
    job_id  INTEGER NOT NULL REFERENCES job (id),
    subject TEXT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1)),
    PRIMARY KEY (subject, job_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX job_subject_open ON job_subject (subject) WHERE is_open = 1;
CREATE INDEX job_subject_by_job ON job_subject (job_id);

-- An intent to make the call of a step: stored before a byte leaves.
CREATE TABLE step_intent (
    id       INTEGER PRIMARY KEY,
    job_id   INTEGER NOT NULL REFERENCES job (id),
    position INTEGER NOT NULL,
    worker   TEXT NOT NULL,
    route    TEXT NOT NULL,
    site     TEXT NOT NULL,
    before   TEXT,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX step_intent_by_job ON step_intent (job_id, id);

-- Everything that happened to a job.
CREATE TABLE job_event (
    job_id     INTEGER NOT NULL REFERENCES job (id),
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL,
    position   INTEGER NOT NULL,
    message    TEXT NOT NULL,
    outcome    TEXT,
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;

-- What is known of each e-way bill.
CREATE TABLE eway_bill (
    number      TEXT PRIMARY KEY,
    document_id INTEGER REFERENCES document (id),
    doc_no      TEXT,
    state       TEXT NOT NULL,
    standing    TEXT NOT NULL,
    route       TEXT,
    site        TEXT,
    changed_at  INTEGER NOT NULL,
    CHECK (length(number) = 12 AND number NOT GLOB '*[^0-9]*'),
    CHECK (state IN ('part_a', 'active', 'unknown', 'cancelled', 'rejected_by_party', 'expired', 'closed')),
    CHECK (standing ->> '$.number' = number AND standing ->> '$.state' = state)
) STRICT;

CREATE INDEX eway_bill_by_document ON eway_bill (document_id, number) WHERE document_id IS NOT NULL;
-- For the bills that can still change: few of all that were ever made.
CREATE INDEX eway_bill_open ON eway_bill (number) WHERE state IN ('active', 'part_a', 'unknown');
CREATE INDEX eway_bill_by_doc_no ON eway_bill (doc_no) WHERE doc_no IS NOT NULL;

-- The present bill of a document, and its cancellation; a receipt copies both as they stood.
ALTER TABLE document ADD COLUMN ewb_number TEXT REFERENCES eway_bill (number);
ALTER TABLE document ADD COLUMN cancellation TEXT;
ALTER TABLE receipt ADD COLUMN ewb TEXT;
ALTER TABLE receipt ADD COLUMN cancellation TEXT;

-- Bills that came with registrations before bills had a table of their own. A key is
-- `GSTIN/2026-27/INV/number`, so its number begins at the 29th character.
INSERT OR IGNORE INTO eway_bill (number, document_id, doc_no, state, standing, route, site, changed_at)
SELECT e.number, e.id, upper(substr(e.document_key, 29)), e.state,
    json_object('number', e.number, 'state', e.state, 'birth', 'irn', 'generated_by', e.supplier,
        'document', json_object('doc_type', substr(e.document_key, 25, 3), 'number', substr(e.document_key, 29)),
        'made_at', e.made_at, 'valid_till', e.valid_till, 'extended', 0),
    e.route, coalesce(e.issued_by, e.site), e.changed_at
FROM (
    SELECT d.id, d.document_key, d.supplier, d.changed_at, a.route, a.site,
        p.body ->> '$.registration.site' AS issued_by, p.body ->> '$.registration.ewb.number' AS number,
        p.body ->> '$.registration.ewb.date' AS made_at, p.body ->> '$.registration.ewb.valid_till' AS valid_till,
        d.ewb_state AS state
    FROM document d
    JOIN reply p ON p.id = d.registration_reply
    LEFT JOIN attempt a ON a.id = d.last_attempt
    WHERE d.ewb_state IN ('active', 'part_a')
) e
WHERE length(e.number) = 12 AND e.number NOT GLOB '*[^0-9]*';

UPDATE document SET ewb_number = (SELECT b.number FROM eway_bill b WHERE b.document_id = document.id)
WHERE ewb_state IN ('active', 'part_a');

-- Guards.

CREATE TRIGGER job_starts_planned BEFORE INSERT ON job
WHEN NEW.state <> 'planned' OR NEW.position <> 0
BEGIN SELECT RAISE(ABORT, 'a job starts as planned'); END;

CREATE TRIGGER job_is_over BEFORE UPDATE ON job
WHEN OLD.state IN ('done', 'refused', 'withdrawn')
BEGIN SELECT RAISE(ABORT, 'a job that is over stays as it is'); END;

CREATE TRIGGER job_moves_legally BEFORE UPDATE OF state ON job
WHEN NEW.state <> OLD.state
    AND NOT EXISTS (SELECT 1 FROM legal_job_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal move of a job'); END;

CREATE TRIGGER job_is_sent_by_intent BEFORE UPDATE OF state ON job
WHEN NEW.state = 'sent' AND OLD.state <> 'sent' AND (
    NEW.last_intent IS OLD.last_intent
    OR NOT EXISTS (SELECT 1 FROM step_intent
                   WHERE id = NEW.last_intent AND job_id = NEW.id AND position = NEW.position)
)
BEGIN SELECT RAISE(ABORT, 'a job is sent only with a new intent'); END;

CREATE TRIGGER job_goes_step_by_step BEFORE UPDATE OF position ON job
WHEN NEW.position <> OLD.position AND (NEW.position <> OLD.position + 1 OR OLD.state NOT IN ('sent', 'unknown'))
BEGIN SELECT RAISE(ABORT, 'a job goes on by the step that was sent'); END;

CREATE TRIGGER job_keeps_its_task
BEFORE UPDATE OF task, steps, document_id, gstin, route, site, not_before, deadline, planned_at ON job
WHEN NEW.task <> OLD.task OR NEW.steps <> OLD.steps OR NEW.document_id IS NOT OLD.document_id
    OR NEW.gstin <> OLD.gstin OR NEW.route IS NOT OLD.route OR NEW.site IS NOT OLD.site
    OR NEW.not_before IS NOT OLD.not_before OR NEW.deadline IS NOT OLD.deadline OR NEW.planned_at <> OLD.planned_at
BEGIN SELECT RAISE(ABORT, 'what a job was planned to do is fixed'); END;

CREATE TRIGGER job_stays BEFORE DELETE ON job
BEGIN SELECT RAISE(ABORT, 'jobs are kept'); END;

CREATE TRIGGER job_subject_opens_no_more BEFORE UPDATE ON job_subject
WHEN NEW.subject <> OLD.subject OR NEW.job_id <> OLD.job_id OR NEW.is_open > OLD.is_open
    OR EXISTS (SELECT 1 FROM job WHERE id = OLD.job_id AND state IN ('planned', 'sent', 'unknown'))
BEGIN SELECT RAISE(ABORT, 'the subject of a job is free once the job is over'); END;
CREATE TRIGGER job_subject_stays BEFORE DELETE ON job_subject
BEGIN SELECT RAISE(ABORT, 'subjects of jobs are kept'); END;

CREATE TRIGGER step_intent_is_fixed BEFORE UPDATE ON step_intent
BEGIN SELECT RAISE(ABORT, 'intents are immutable'); END;
CREATE TRIGGER step_intent_stays BEFORE DELETE ON step_intent
BEGIN SELECT RAISE(ABORT, 'intents are immutable'); END;

CREATE TRIGGER job_event_is_fixed BEFORE UPDATE ON job_event
BEGIN SELECT RAISE(ABORT, 'the audit trail is immutable'); END;
CREATE TRIGGER job_event_stays BEFORE DELETE ON job_event
BEGIN SELECT RAISE(ABORT, 'the audit trail is immutable'); END;

CREATE TRIGGER eway_bill_stays BEFORE DELETE ON eway_bill
BEGIN SELECT RAISE(ABORT, 'e-way bills are kept'); END;
CREATE TRIGGER eway_bill_keeps_its_number BEFORE UPDATE OF number ON eway_bill
WHEN NEW.number <> OLD.number
BEGIN SELECT RAISE(ABORT, 'the number of an e-way bill is fixed'); END;

CREATE TRIGGER document_stands_as_its_bill BEFORE UPDATE OF ewb_number, ewb_state ON document
WHEN NEW.ewb_number IS NOT NULL
    AND NEW.ewb_state IS NOT (SELECT b.state FROM eway_bill b WHERE b.number = NEW.ewb_number)
BEGIN SELECT RAISE(ABORT, 'a document shows the state of its e-way bill'); END;

CREATE TRIGGER document_is_cancelled_with_a_cancellation BEFORE UPDATE OF state ON document
WHEN NEW.state = 'cancelled' AND NEW.cancellation IS NULL
BEGIN SELECT RAISE(ABORT, 'a cancelled document says so'); END;

-- Consequences.

CREATE TRIGGER job_notes_its_start AFTER INSERT ON job
BEGIN
    INSERT INTO job_event (job_id, number, at, from_state, to_state, position, message, outcome)
    VALUES (NEW.id, 1, NEW.changed_at, NULL, NEW.state, NEW.position, NEW.message, NULL);
END;

CREATE TRIGGER job_notes_its_changes AFTER UPDATE OF state, events ON job
WHEN NEW.state <> OLD.state OR NEW.events <> OLD.events
BEGIN
    INSERT INTO job_event (job_id, number, at, from_state, to_state, position, message, outcome)
    VALUES (
        NEW.id, (SELECT max(number) + 1 FROM job_event WHERE job_id = NEW.id), NEW.changed_at, OLD.state, NEW.state,
        NEW.position, CASE WHEN NEW.events = OLD.events THEN 'changed by another program' ELSE NEW.message END,
        CASE WHEN NEW.outcome IS NOT OLD.outcome THEN NEW.outcome END
    );
END;

CREATE TRIGGER job_frees_its_subjects AFTER UPDATE OF state ON job
WHEN NEW.state IN ('done', 'refused', 'withdrawn')
BEGIN
    UPDATE job_subject SET is_open = 0 WHERE job_id = NEW.id;
END;

DROP TRIGGER document_makes_receipt;

CREATE TRIGGER document_makes_receipt AFTER UPDATE OF receipt_revision ON document
WHEN NEW.receipt_revision <> OLD.receipt_revision
BEGIN
    INSERT INTO receipt (document_id, revision, label, document_key, irn, state, ewb_state, registration_reply,
                         findings, portal_findings, at, ewb, cancellation)
    VALUES (NEW.id, NEW.receipt_revision, NEW.label, NEW.document_key, NEW.irn, NEW.state, NEW.ewb_state,
            NEW.registration_reply, NEW.findings, NEW.portal_findings, NEW.changed_at,
            (SELECT b.standing FROM eway_bill b WHERE b.number = NEW.ewb_number), NEW.cancellation);
END;
