// Signs webhooks with Twilio's own library: a line {"url", "params"} in, the signature out.
// node signer.js TOKEN, with NODE_PATH naming the folder that has the package twilio.
const { getExpectedTwilioSignature } = require('twilio/lib/webhooks/webhooks');
const token = process.argv[2];
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { url, params } = JSON.parse(line);
  console.log(getExpectedTwilioSignature(token, url, params));
});
console.log('ready');
