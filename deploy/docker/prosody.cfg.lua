-- Prosody for docker-compose.yml. For the world outside: certificates, and the modules you want.
data_path = "/var/lib/prosody"
pidfile = "/run/prosody/prosody.pid"
admin_socket = "/run/prosody/prosody.sock"  -- for prosodyctl
log = { { levels = { min = "info" }, to = "console" } }
modules_enabled = { "roster", "saslauth", "disco", "ping", "carbons", "offline", "mam", "register", "admin_shell" }
modules_disabled = { "s2s", "tls" }
c2s_require_encryption = false       -- the port is published on loopback only
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
component_interfaces = { "*" }
component_ports = { 5347 }
VirtualHost "localhost"
Component "sms.localhost"
  component_secret = ENV_COMPONENT_SECRET
