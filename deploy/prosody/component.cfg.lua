-- Into prosody.cfg.lua, and `prosodyctl reload`. The secret is the one in wherry.toml.
Component "sms.example.org"
  component_secret = "choose-a-long-one"
-- The component port (5347) listens on loopback by default: leave it so when wherry runs beside Prosody.
