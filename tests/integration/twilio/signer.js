// Signs webhooks with the service's own library: a line {"url", "params"} in, the signature out.
// node signer.js TOKEN PACKAGE, with NODE_PATH naming the folder that has the package, twilio's or signalwire's.
const [, , token, library] = process.argv;
// By its path, because not every package exports it.
const { getExpectedTwilioSignature } = require(require('path').join(process.env.NODE_PATH, library, 'lib/webhooks/webhooks.js'));
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { url, params } = JSON.parse(line);
  console.log(getExpectedTwilioSignature(token, url, params));
});
console.log('ready');
