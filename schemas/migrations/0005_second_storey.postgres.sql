-- PostgreSQL. The same as 0005_second_storey.sqlite.sql, which has the comments.
ALTER TABLE accounts ADD COLUMN refuses BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN named BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN logged_out BIGINT NOT NULL DEFAULT 0;

CREATE TABLE messages (
  id BIGINT NOT NULL,
  part BIGINT NOT NULL,
  parts BIGINT NOT NULL,
  account BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  network_hash BIGINT,
  network_id TEXT NOT NULL,
  stanza_hash BIGINT,
  origin TEXT NOT NULL,
  chat TEXT NOT NULL,
  stage BIGINT,
  created BIGINT NOT NULL,
  PRIMARY KEY (id, part)
);
INSERT INTO messages (id, part, parts, account, kind, network_hash, network_id, stanza_hash, origin, chat, stage, created)
  SELECT id, 0, 1, account, CASE WHEN origin = '' THEN 2 ELSE 0 END, network_hash, network_id, NULL, origin, chat, stage, created
  FROM message_map;
DROP TABLE message_map;
CREATE INDEX messages_by_age ON messages (created);
CREATE INDEX messages_by_network_id ON messages (account, network_hash) WHERE network_hash IS NOT NULL;
CREATE INDEX messages_by_stanza ON messages (account, stanza_hash) WHERE stanza_hash IS NOT NULL;
