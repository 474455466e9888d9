// An independent SMPP client (npm "smpp") driven by JSON lines on stdin; what happens goes to stdout as JSON lines.
// The tests start it with NODE_PATH set to where they installed the package.
'use strict';
const smpp = require('smpp');
const sessions = {};
let answer = 0;                 // command_status for deliver_sm and data_sm; null: no answer
const say = event => process.stdout.write(JSON.stringify(event) + '\n');

// node "smpp" gives message bodies as {message, udh}; show text as it decoded it, and octets as hex.
function plain(pdu) {
  const shown = {};
  for (const [name, value] of Object.entries(pdu)) {
    if (name === 'short_message' || name === 'message_payload') {
      const message = value && value.message !== undefined ? value.message : value;
      shown[name] = Buffer.isBuffer(message) ? message.toString('latin1') : message;
      if (value && value.udh) shown.udh = (Array.isArray(value.udh) ? value.udh : [value.udh]).map(u => u.toString('hex'));
    } else shown[name] = Buffer.isBuffer(value) ? value.toString('hex') : value;
  }
  return shown;
}

function bind(command) {
  const url = `${command.tls ? 'ssmpp' : 'smpp'}://127.0.0.1:${command.port}`;
  const session = smpp.connect({url, rejectUnauthorized: false}, () => {
    session[`bind_${command.kind || 'transceiver'}`]({system_id: command.system_id, password: command.password, interface_version: 0x34},
      pdu => say({event: 'bound', session: command.session, status: pdu.command_status, version: pdu.sc_interface_version}));
  });
  session.socket.setNoDelay(true);   // else Nagle's algorithm holds a submit_sm back until the last answer is acknowledged
  sessions[command.session] = session;
  session.on('error', error => say({event: 'error', session: command.session, message: String(error)}));
  session.on('close', () => say({event: 'closed', session: command.session}));
  session.on('enquire_link', pdu => { session.send(pdu.response()); say({event: 'enquired', session: command.session}); });
  session.on('unbind', pdu => { session.send(pdu.response()); say({event: 'unbind', session: command.session}); });
  for (const name of ['deliver_sm', 'data_sm'])
    session.on(name, pdu => {
      if (answer !== null) session.send(pdu.response({command_status: answer}));
      say({event: name, session: command.session, ...plain(pdu)});
    });
}

function request(command) {     // any command of the protocol: {op: "request", name, tag, fields}
  const fields = {...command.fields};
  for (const [name, hex] of Object.entries(command.octets || {})) fields[name] = Buffer.from(hex, 'hex');
  if (command.udh) fields.short_message = {udh: Buffer.from(command.udh, 'hex'), message: fields.short_message};
  sessions[command.session][command.name](fields, pdu => say({event: 'answer', tag: command.tag, ...plain(pdu)}));
}

function load(command) {        // `total` texts with `window` unanswered at once
  const session = sessions[command.session], began = process.hrtime.bigint();
  let sent = 0, answered = 0, good = 0;
  const next = () => {
    const n = sent++;
    session.submit_sm({source_addr: '15550100', source_addr_ton: 1, source_addr_npi: 1, destination_addr: `1555${String(1000001 + n % 900)}`,
      dest_addr_ton: 1, dest_addr_npi: 1, registered_delivery: command.registered, data_coding: 0, short_message: Buffer.from(`load ${n}`)}, pdu => {
      answered++;
      if (pdu.command_status === 0) good++;
      if (sent < command.total) next();
      else if (answered === command.total) say({event: 'loaded', good, seconds: Number(process.hrtime.bigint() - began) / 1e9});
    });
  };
  for (let i = 0; i < command.window; i++) next();
}

const operations = {
  bind, request, load,
  answer: command => { answer = command.status; say({event: 'answering', status: answer}); },
  unbind: command => sessions[command.session].unbind(() => { say({event: 'unbound', session: command.session}); sessions[command.session].close(); }),
};
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const command = JSON.parse(line);
  operations[command.op](command);
}).on('close', () => process.exit(0));
