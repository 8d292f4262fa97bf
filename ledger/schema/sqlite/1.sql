-- Version 1, for SQLite. Each statement may be run again without harm, so that
-- any number of instances may start at once, and a DBA may run the file first.
-- Times are milliseconds since 1970 in UTC: datetime(decided / 1000, 'unixepoch').
-- Keys and references are 16 bytes: hex(reference).

-- The notices that visitors were shown, once for each content. Rows are never changed.
CREATE TABLE IF NOT EXISTS consent_notice (
  fingerprint blob  PRIMARY KEY, -- the SHA-256 sum of content
  content     text  NOT NULL     -- JSON
);

-- Who has written records: a row for each run of a process, and for each run after a
-- failure. A row is changed once, when the writer has ended.
CREATE TABLE IF NOT EXISTS consent_writer (
  id      blob   PRIMARY KEY,
  opened  bigint NOT NULL,
  written bigint, -- how many records it wrote; null until it has ended
  head    blob,   -- the hash of the last of them
  seal    blob    -- HMAC-SHA-256 over the row, by a key that the site keeps elsewhere; null without one
);

-- The decisions, and what was done to them. A writer numbers its records from 1, and
-- each holds the hash of the one before. Rows are only added, but for an erasure, which
-- sets forgotten and digest and empties what is below previous_hash, and a purge, which
-- deletes rows. Each of both leaves a record of its own.
CREATE TABLE IF NOT EXISTS consent_record (
  id            blob    PRIMARY KEY, -- UUIDv7: begins with the time of the decision
  writer        blob    NOT NULL,    -- consent_writer.id
  place         bigint  NOT NULL,    -- the writer's number for it
  before_hash   blob,                -- the hash of the writer's record before; null for the first
  hash          blob    NOT NULL,    -- SHA-256 over id, writer, place, before_hash, n, previous, previous_hash and digest
  seal          blob,                -- HMAC-SHA-256 over hash, by a key that the site keeps elsewhere; null without one
  forgotten     bigint,              -- when it was erased; null for a record that stands
  digest        blob,                -- SHA-256 over what was erased; null for a record that stands
  n             bigint  NOT NULL,    -- the visitor's number for it, from 1; 0 if it is no decision
  previous      blob,                -- the id of the visitor's record before; null for the first
  previous_hash blob,                -- the hash of that record
  reference     blob,                -- of the visitor, random; null if it is no decision
  decided       bigint  NOT NULL,    -- when
  revision      bigint  NOT NULL,    -- of the site
  answers       text    NOT NULL,    -- JSON: [{"category":…,"provider":…,"allowed":…}]
  objection     boolean NOT NULL,    -- to anonymous statistics
  gpc           boolean NOT NULL,    -- the browser sent "Sec-GPC: 1"
  regime        text    NOT NULL,    -- the law under which they were asked: 'opt-in', 'uk', 'opt-out' or 'none'
  action        text    NOT NULL,    -- what the visitor did
  language      text    NOT NULL,    -- in which they were asked, BCP 47
  notice        blob,                -- consent_notice.fingerprint
  remainder     boolean NOT NULL,    -- what counts of the decision of the record before, which was not confirmed
  act           text,                -- JSON, of what is no decision: {"act":"open"|"end"|"forget"|"purge",…}
  UNIQUE (reference, n),
  UNIQUE (writer, place)
);
CREATE INDEX IF NOT EXISTS consent_record_act ON consent_record (id) WHERE act IS NOT NULL;

-- The last decision that one of the site's own users has taken on each device while signed in.
CREATE TABLE IF NOT EXISTS consent_link (
  user_hash blob   NOT NULL, -- HMAC-SHA-256 of the user id, by a key that the site keeps elsewhere
  reference blob   NOT NULL,
  decided   bigint NOT NULL, -- as in consent_record: with the reference, which decision. Below 0, nobody has decided there: minus the time of a copy of the user's decision
  seal      blob,            -- HMAC-SHA-256 over the row, by a key that the site keeps elsewhere; null without one
  PRIMARY KEY (user_hash, reference)
);
CREATE INDEX IF NOT EXISTS consent_link_reference ON consent_link (reference);

-- Which of these files have been run.
CREATE TABLE IF NOT EXISTS consent_schema (version bigint PRIMARY KEY);
INSERT INTO consent_schema (version) VALUES (1) ON CONFLICT DO NOTHING;
