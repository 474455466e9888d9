-- Generated from migrations/ by a test (schemas/README.md tells how); for reading and comparing.

-- ---- SQLite ----

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  transport TEXT NOT NULL,  -- its domain
  user_jid TEXT NOT NULL REFERENCES users (jid),
  credentials TEXT NOT NULL,  -- sealed, with the context "account:<id>:credentials"
  policy BIGINT NOT NULL,     -- 0 always on, 1 while the user has a presence
  lang TEXT NOT NULL
, imports BIGINT NOT NULL DEFAULT 1, alias TEXT NOT NULL DEFAULT '', refuses BIGINT NOT NULL DEFAULT 0, named BIGINT NOT NULL DEFAULT 0, logged_out BIGINT NOT NULL DEFAULT 0);

CREATE UNIQUE INDEX accounts_by_user ON accounts (user_jid, transport, alias);

CREATE TABLE connector_storage (
  transport TEXT NOT NULL,
  key TEXT NOT NULL,  -- sorts bytewise
  value TEXT NOT NULL,
  PRIMARY KEY (transport, key)
) WITHOUT ROWID;

CREATE TABLE contacts (
  account BIGINT NOT NULL REFERENCES accounts (id),
  contact TEXT NOT NULL,
  name TEXT NOT NULL,
  user_sees BIGINT NOT NULL,
  user_asked BIGINT NOT NULL,
  contact_sees BIGINT NOT NULL, offer BIGINT NOT NULL DEFAULT 0, nick TEXT NOT NULL DEFAULT '', avatar TEXT NOT NULL DEFAULT '', photo TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (account, contact)
) WITHOUT ROWID;

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  account BIGINT NOT NULL,
  payload TEXT NOT NULL,  -- JSON
  created BIGINT NOT NULL
);

CREATE TABLE keys (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

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

CREATE INDEX messages_by_age ON messages (created);

CREATE INDEX messages_by_network_id ON messages (account, network_hash) WHERE network_hash IS NOT NULL;

CREATE INDEX messages_by_stanza ON messages (account, stanza_hash) WHERE stanza_hash IS NOT NULL;

CREATE TABLE migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL);

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

CREATE TABLE runs (
  first BIGINT PRIMARY KEY,  -- its first row id; those of the run before are smaller
  name TEXT NOT NULL,
  started BIGINT NOT NULL
);

CREATE TABLE seen (
  id INTEGER PRIMARY KEY,
  transport TEXT NOT NULL,
  created BIGINT NOT NULL,
  hashes TEXT NOT NULL  -- 16 hexadecimal digits each
, kind BIGINT NOT NULL DEFAULT 0);

CREATE TABLE users (
  jid TEXT PRIMARY KEY  -- bare
) WITHOUT ROWID;

-- ---- PostgreSQL ----

CREATE TABLE accounts (
  id BIGINT NOT NULL,
  transport TEXT COLLATE "C" NOT NULL,
  user_jid TEXT COLLATE "C" NOT NULL,
  credentials TEXT NOT NULL,
  policy BIGINT NOT NULL,
  lang TEXT NOT NULL,
  imports BIGINT NOT NULL,
  alias TEXT COLLATE "C" NOT NULL,
  refuses BIGINT NOT NULL,
  named BIGINT NOT NULL,
  logged_out BIGINT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY (user_jid) REFERENCES users(jid)
);
CREATE UNIQUE INDEX accounts_by_user ON accounts USING btree (user_jid, transport, alias);

CREATE TABLE connector_storage (
  transport TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (transport, key)
);

CREATE TABLE contacts (
  account BIGINT NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  user_sees BIGINT NOT NULL,
  user_asked BIGINT NOT NULL,
  contact_sees BIGINT NOT NULL,
  offer BIGINT NOT NULL,
  nick TEXT NOT NULL,
  avatar TEXT NOT NULL,
  photo TEXT NOT NULL,
  PRIMARY KEY (account, contact),
  FOREIGN KEY (account) REFERENCES accounts(id)
);

CREATE TABLE counters (
  name TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE inbox (
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  payload TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE keys (
  name TEXT COLLATE "C" NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
);

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
CREATE INDEX messages_by_age ON messages USING btree (created);
CREATE INDEX messages_by_network_id ON messages USING btree (account, network_hash) WHERE (network_hash IS NOT NULL);
CREATE INDEX messages_by_stanza ON messages USING btree (account, stanza_hash) WHERE (stanza_hash IS NOT NULL);

CREATE TABLE migrations (
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (number)
);

CREATE TABLE outbox (
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  chat TEXT NOT NULL,
  origin TEXT NOT NULL,
  payload TEXT NOT NULL,
  state BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE runs (
  first BIGINT NOT NULL,
  name TEXT NOT NULL,
  started BIGINT NOT NULL,
  PRIMARY KEY (first)
);

CREATE TABLE seen (
  id BIGINT NOT NULL,
  transport TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  hashes TEXT NOT NULL,
  kind BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE users (
  jid TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (jid)
);
