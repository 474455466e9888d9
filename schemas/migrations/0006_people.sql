-- What contacts show of themselves (XEP-0172, XEP-0153).
ALTER TABLE contacts ADD COLUMN nick TEXT NOT NULL DEFAULT '';    -- as the contact calls itself
ALTER TABLE contacts ADD COLUMN avatar TEXT NOT NULL DEFAULT '';  -- the network's name for its picture
ALTER TABLE contacts ADD COLUMN photo TEXT NOT NULL DEFAULT '';   -- SHA-1 of the picture, hexadecimal; '': not fetched
