-- Each start of the gateway. Its random name is a part of every key and stanza id that it gives out, so that a backup which
-- was restored, and counts from where it stood, gives none of them out a second time.
CREATE TABLE runs (
  first BIGINT PRIMARY KEY,  -- its first row id; those of the run before are smaller
  name TEXT NOT NULL,
  started BIGINT NOT NULL
);

-- Besides the events of networks, what users sent: pairs of hashes, of the stanza and of its content; content 0 means
-- that the stanza may come again.
ALTER TABLE seen ADD COLUMN kind BIGINT NOT NULL DEFAULT 0;  -- 0 events, 1 stanzas

-- Old rows are found by reading them all: there are never many, and the index cost each message a page.
DROP INDEX seen_by_age;
