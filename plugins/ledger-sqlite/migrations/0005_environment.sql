-- Format 5: the environment that the file belongs to.
--
-- What the sandbox registered is not registered in production. The first run binds the file, for good.

CREATE TABLE environment (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    name TEXT NOT NULL CHECK (name IN ('production', 'sandbox'))
) STRICT;

CREATE TRIGGER environment_stays BEFORE UPDATE ON environment
BEGIN SELECT RAISE(ABORT, 'a ledger belongs to one environment'); END;

CREATE TRIGGER environment_is_kept BEFORE DELETE ON environment
BEGIN SELECT RAISE(ABORT, 'a ledger belongs to one environment'); END;
