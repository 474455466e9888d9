-- SQLite. The same tables as 0001_base.postgres.sql; two files because INTEGER PRIMARY KEY, which alone makes a row's id
-- its place in the file (sqlite.org/lang_createtable.html §5), is 32 bits wide on PostgreSQL.

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('ids', 0);  -- the last row id that was given out

CREATE TABLE keys (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
  jid TEXT PRIMARY KEY  -- bare
) WITHOUT ROWID;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  transport TEXT NOT NULL,  -- its domain
  user_jid TEXT NOT NULL REFERENCES users (jid),
  credentials TEXT NOT NULL,  -- sealed, with the context "account:<id>:credentials"
  policy BIGINT NOT NULL,     -- 0 always on, 1 while the user has a presence
  lang TEXT NOT NULL
);
CREATE INDEX accounts_by_user ON accounts (user_jid);

CREATE TABLE contacts (
  account BIGINT NOT NULL REFERENCES accounts (id),
  contact TEXT NOT NULL,
  name TEXT NOT NULL,
  user_sees BIGINT NOT NULL,
  user_asked BIGINT NOT NULL,
  contact_sees BIGINT NOT NULL,
  PRIMARY KEY (account, contact)
) WITHOUT ROWID;

-- The queues are logs: appended with rising ids, removed by ranges. No further index and no reference, which would
-- cost more than the rest of a row.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  account BIGINT NOT NULL,
  chat TEXT NOT NULL,
  origin TEXT NOT NULL,      -- JSON
  payload TEXT NOT NULL,     -- JSON
  state BIGINT NOT NULL,     -- 0 queued, 1 sending
  attempts BIGINT NOT NULL,
  not_before BIGINT NOT NULL,  -- this and every time: ms since 1970
  deadline BIGINT NOT NULL
);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  account BIGINT NOT NULL,
  payload TEXT NOT NULL,  -- JSON
  created BIGINT NOT NULL
);

-- One row for all events of one commit.
CREATE TABLE seen (
  id INTEGER PRIMARY KEY,
  transport TEXT NOT NULL,
  created BIGINT NOT NULL,
  hashes TEXT NOT NULL  -- 16 hexadecimal digits each
);
CREATE INDEX seen_by_age ON seen (created);

CREATE TABLE message_map (
  id INTEGER PRIMARY KEY,  -- the outbox row's
  account BIGINT NOT NULL,
  network_hash BIGINT,  -- of network_id; null: there is none, the network reports by our id
  network_id TEXT NOT NULL,
  origin TEXT NOT NULL,  -- JSON
  chat TEXT NOT NULL,
  stage BIGINT,  -- 0 accepted, 1 delivered, 2 read, 3 failed
  created BIGINT NOT NULL
);
CREATE INDEX message_map_by_network_id ON message_map (account, network_hash) WHERE network_hash IS NOT NULL;
CREATE INDEX message_map_by_age ON message_map (created);

CREATE TABLE connector_storage (
  transport TEXT NOT NULL,
  key TEXT NOT NULL,  -- sorts bytewise
  value TEXT NOT NULL,
  PRIMARY KEY (transport, key)
) WITHOUT ROWID;
