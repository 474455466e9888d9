-- PostgreSQL. The same as 0004_aliases.sqlite.sql, which has the comments.
ALTER TABLE accounts ADD COLUMN alias TEXT COLLATE "C" NOT NULL DEFAULT '';

DROP INDEX accounts_by_user;
CREATE UNIQUE INDEX accounts_by_user ON accounts (user_jid, transport, alias);
