-- What became of a contact that came with the network's own contact list (XEP-0100 §4.4, contact list treatment).
ALTER TABLE contacts ADD COLUMN offer BIGINT NOT NULL DEFAULT 0;  -- 0 none, 1 suggested as a list, 2 asks, 3 declined
ALTER TABLE accounts ADD COLUMN imports BIGINT NOT NULL DEFAULT 1;  -- whether the user wants that list
