-- Format 3: what waits for a person, and what a person may decide.
--
-- A document or a job is handed over where asking the portal tells no more; only then does a person's word count.

-- As `HandOver` in JSON: `whether` it is registered, or its `acknowledgement`, which is to be read.
ALTER TABLE document ADD COLUMN hand_over TEXT CHECK (hand_over IS NULL OR json_valid(hand_over));

-- What a person is asked to look up.
ALTER TABLE job ADD COLUMN hand_over TEXT;

INSERT INTO legal_job_move (from_state, to_state) VALUES ('unknown', 'withdrawn');

CREATE TRIGGER document_registered_for_certain_is_not_sent_again BEFORE UPDATE OF state ON document
WHEN NEW.state = 'ready' AND OLD.hand_over ->> '$.open' = 'acknowledgement'
BEGIN SELECT RAISE(ABORT, 'what is registered for certain is not sent again'); END;

CREATE TRIGGER job_is_given_up_once_handed_over BEFORE UPDATE OF state ON job
WHEN NEW.state = 'withdrawn' AND OLD.state = 'unknown' AND OLD.hand_over IS NULL
BEGIN SELECT RAISE(ABORT, 'a job whose outcome the portal can tell is not given up'); END;
