-- Into prosody.cfg.lua, and `prosodyctl reload`. The secret is the one in wherry.toml.
Component "sms.example.org"
  component_secret = "choose-a-long-one"
  -- Only for networks with contact lists of their own, and only if you want their contacts to appear in the users' rosters without a
  -- question to each: the module "privilege" (XEP-0356; package prosody-modules), here and in the VirtualHost of the users, and there
  --   privileged_entities = { ["sms.example.org"] = { roster = "both" } }
  -- modules_enabled = { "privilege" }
-- The component port (5347) listens on loopback by default: leave it so when wherry runs beside Prosody.
