-- A user may have several accounts on one network. An alias tells them apart in addresses; the first one has none.
ALTER TABLE accounts ADD COLUMN alias TEXT NOT NULL DEFAULT '';

-- Whoever is found by it is found as before, by the user alone.
DROP INDEX accounts_by_user;
CREATE UNIQUE INDEX accounts_by_user ON accounts (user_jid, transport, alias);
