// An SMS centre made from the npm package smpp, an implementation that shares nothing with ours.
//
//   node node_smsc.js '{"password":"secret","tls":{"key":FILE,"cert":FILE}}'
//
// Says on standard output, a line each:  {"listening":PORT}  {"bind":"bind_transceiver","system_id"}  {"submit":{…}}
//   {"delivered":{"status","label"}}  {"enquired":true}  {"unbound":true}  {"closed":true}
// Obeys on standard input:  {"set":{…}}  changes its behaviour (see `how`), {"deliver":{…}} sends a deliver_sm,
//   {"drop":true} cuts every connection.
const smpp = require('smpp'), fs = require('fs'), readline = require('readline');

const setting = JSON.parse(process.argv[2] || '{}');
const how = {
  throttleEvery: 0,        // every so manieth submit_sm is refused with ESME_RTHROTTLED
  silentAfter: -1,         // from this submit_sm on there is no answer
  receipts: true,          // when asked for
  receiptFirst: false,     // it is sent before the submit_sm_resp
  decimalReceipts: false,  // the receipt names in decimal what the response named in hexadecimal
  textOnly: false,         // and it has no parameters
};
const say = line => process.stdout.write(JSON.stringify(line) + '\n');
const bound = new Set();
let nextId = 0xA000, submits = 0;

const stamp = () => new Date().toISOString().replace(/[-T:]/g, '').slice(2, 12);

function receipt(session, pdu, id) {
  const named = how.decimalReceipts ? String(parseInt(id, 16)) : id;
  const text = `id:${named} sub:001 dlvrd:001 submit date:${stamp()} done date:${stamp()} stat:DELIVRD err:000 text:`;
  const parameters = how.textOnly ? {} : {receipted_message_id: named, message_state: 2};
  session.deliver_sm({
    source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
    esm_class: 0x04, data_coding: 3, short_message: Buffer.from(text, 'latin1'), ...parameters,
  }, answer => say({delivered: {status: answer.command_status, label: 'receipt'}}));
}

function submit(session, pdu) {
  submits += 1;
  const message = pdu.short_message || {};
  const text = message.message !== undefined ? message.message : message;
  const payload = pdu.message_payload && pdu.message_payload.message;
  say({submit: {
    from: pdu.source_addr, to: pdu.destination_addr, data_coding: pdu.data_coding, esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery, text: payload || (Buffer.isBuffer(text) ? text.toString('hex') : text),
    udh: message.udh ? Buffer.concat(message.udh.map(b => Buffer.from(b))).toString('hex') : null,
    sar: pdu.sar_msg_ref_num === undefined ? null : [pdu.sar_msg_ref_num, pdu.sar_segment_seqnum, pdu.sar_total_segments],
  }});
  if (how.silentAfter >= 0 && submits > how.silentAfter) return;
  if (how.throttleEvery && submits % how.throttleEvery === 0) return session.send(pdu.response({command_status: smpp.ESME_RTHROTTLED}));
  const id = (nextId++).toString(16).toUpperCase();
  const wanted = how.receipts && (pdu.registered_delivery & 3);
  if (wanted && how.receiptFirst) receipt(session, pdu, id);
  session.send(pdu.response({message_id: id}));
  if (wanted && !how.receiptFirst) receipt(session, pdu, id);
}

function serve(session) {
  const bind = pdu => {
    say({bind: pdu.command, system_id: pdu.system_id, version: pdu.interface_version});
    if (pdu.password !== setting.password) {
      session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
      return session.close();
    }
    if (pdu.command !== 'bind_transmitter') bound.add(session);
    session.send(pdu.response({system_id: 'NODE', sc_interface_version: 0x34}));
  };
  for (const command of ['bind_transceiver', 'bind_receiver', 'bind_transmitter']) session.on(command, bind);
  session.on('enquire_link', pdu => { say({enquired: true}); session.send(pdu.response()); });
  session.on('unbind', pdu => { say({unbound: true}); session.send(pdu.response()); session.close(); });
  session.on('submit_sm', pdu => submit(session, pdu));
  session.on('close', () => { bound.delete(session); say({closed: true}); });
  session.on('error', error => say({error: String(error)}));
}

const options = setting.tls ? {tls: true, key: fs.readFileSync(setting.tls.key), cert: fs.readFileSync(setting.tls.cert)} : {};
const server = smpp.createServer(options, serve);
server.listen(0, '127.0.0.1', () => say({listening: server.address().port}));

readline.createInterface({input: process.stdin}).on('line', line => {
  const command = JSON.parse(line);
  if (command.set) {
    Object.assign(how, command.set);
    say({set: command.set});
  }
  if (command.drop) for (const session of bound) session.destroy();
  if (command.deliver) {
    const {udh, octets, label, ...fields} = command.deliver;
    const message = octets !== undefined ? Buffer.from(octets, 'hex') : fields.short_message;
    const short_message = udh ? {udh: Buffer.from(udh, 'hex'), message} : message;
    for (const session of bound) {
      session.deliver_sm({source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, ...fields, short_message},
                         answer => say({delivered: {status: answer.command_status, label}}));
    }
  }
}).on('close', () => process.exit(0));
