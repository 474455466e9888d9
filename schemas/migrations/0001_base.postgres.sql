-- PostgreSQL. The same tables as 0001_base.sqlite.sql, which has the comments. Text that is a key sorts bytewise, as
-- SQLite sorts it, whatever the language of the database.

CREATE TABLE counters (
  name TEXT COLLATE "C" PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('ids', 0);

CREATE TABLE keys (
  name TEXT COLLATE "C" PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE users (
  jid TEXT COLLATE "C" PRIMARY KEY
);

CREATE TABLE accounts (
  id BIGINT PRIMARY KEY,
  transport TEXT COLLATE "C" NOT NULL,
  user_jid TEXT COLLATE "C" NOT NULL REFERENCES users (jid),
  credentials TEXT NOT NULL,
  policy BIGINT NOT NULL,
  lang TEXT NOT NULL
);
CREATE INDEX accounts_by_user ON accounts (user_jid);

CREATE TABLE contacts (
  account BIGINT NOT NULL REFERENCES accounts (id),
  contact TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  user_sees BIGINT NOT NULL,
  user_asked BIGINT NOT NULL,
  contact_sees BIGINT NOT NULL,
  PRIMARY KEY (account, contact)
);

CREATE TABLE outbox (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  chat TEXT NOT NULL,
  origin TEXT NOT NULL,
  payload TEXT NOT NULL,
  state BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  deadline BIGINT NOT NULL
);

CREATE TABLE inbox (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  payload TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE seen (
  id BIGINT PRIMARY KEY,
  transport TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  hashes TEXT NOT NULL
);
CREATE INDEX seen_by_age ON seen (created);

CREATE TABLE message_map (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  network_hash BIGINT,
  network_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  chat TEXT NOT NULL,
  stage BIGINT,
  created BIGINT NOT NULL
);
CREATE INDEX message_map_by_network_id ON message_map (account, network_hash) WHERE network_hash IS NOT NULL;
CREATE INDEX message_map_by_age ON message_map (created);

CREATE TABLE connector_storage (
  transport TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (transport, key)
);
