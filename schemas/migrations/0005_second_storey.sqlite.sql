-- What the user would rather have refused than said in words: 1 edits, 2 reactions, 4 replies.
ALTER TABLE accounts ADD COLUMN refuses BIGINT NOT NULL DEFAULT 0;
-- 1: the user has the gateway in the roster by its name, too.
ALTER TABLE accounts ADD COLUMN named BIGINT NOT NULL DEFAULT 0;
-- 1: by the user, until they log in again.
ALTER TABLE accounts ADD COLUMN logged_out BIGINT NOT NULL DEFAULT 0;

-- What messages are called: by the network, and by the users' programs. A row for each part of a message.
CREATE TABLE messages (
  id BIGINT NOT NULL,          -- the row's in outbox or inbox
  part BIGINT NOT NULL,        -- from 0; the columns behind network_id are the first part's, but for stage
  parts BIGINT NOT NULL,       -- how many there are
  account BIGINT NOT NULL,
  kind BIGINT NOT NULL,        -- 0 sent, 1 received, 2 a report that came before its message was known
  network_hash BIGINT,         -- of network_id; null: there is none, the network names it by our id
  network_id TEXT NOT NULL,
  stanza_hash BIGINT,          -- of a sent one's stanza id; null: nobody will refer to it
  origin TEXT NOT NULL,        -- JSON; of a sent one
  chat TEXT NOT NULL,          -- of an early report its text
  stage BIGINT,                -- 0 accepted, 1 delivered, 2 read, 3 failed
  created BIGINT NOT NULL,
  PRIMARY KEY (id, part)
) WITHOUT ROWID;
INSERT INTO messages (id, part, parts, account, kind, network_hash, network_id, stanza_hash, origin, chat, stage, created)
  SELECT id, 0, 1, account, CASE WHEN origin = '' THEN 2 ELSE 0 END, network_hash, network_id, NULL, origin, chat, stage, created
  FROM message_map;
DROP TABLE message_map;
CREATE INDEX messages_by_age ON messages (created);
CREATE INDEX messages_by_network_id ON messages (account, network_hash) WHERE network_hash IS NOT NULL;
CREATE INDEX messages_by_stanza ON messages (account, stanza_hash) WHERE stanza_hash IS NOT NULL;
