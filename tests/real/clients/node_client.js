// Node's http.Agent and fetch.   node_client.js URL COUNT
const crypto = require('crypto'), http = require('http');
const [url, count] = process.argv.slice(2);
const agent = new http.Agent({keepAlive: true, maxSockets: 8});
const digest = data => `${data.length} ${crypto.createHash('sha256').update(data).digest('hex')}`;

function ask(path, options = {}, body) {
  return new Promise((done, failed) => {
    const request = http.request(url + path, {agent, ...options}, response => {
      const pieces = [];
      response.on('data', piece => pieces.push(piece));
      response.on('end', () => done([response.statusCode, Buffer.concat(pieces)]));
      response.on('error', failed);
    });
    request.on('information', information => console.log('information', information.statusCode));
    request.on('continue', () => request.end(body));
    request.on('error', failed);
    if (!options.headers?.Expect) request.end(body);
  });
}

(async () => {
  const all = await Promise.all(Array.from({length: Number(count)}, (_, n) => ask(`/bytes?n=${n}`)));
  console.log(all.every(([status, body], n) => status === 200 && body.length === n));
  console.log(String((await ask('/sum', {method: 'POST'}, Buffer.alloc(3000000)))[1]).trim());
  console.log(String((await ask('/sum', {method: 'POST', headers: {Expect: '100-continue'}}, 'waited for'))[1]).trim());
  console.log((await ask('/none'))[0], digest((await ask('/stream?n=2000000'))[1]), (await ask('/early'))[0]);
  const response = await fetch(url + '/cookies');
  console.log(response.status, response.headers.getSetCookie(), await response.text());
  console.log((await (await fetch(url + '/sum', {method: 'POST', body: new Blob(['fetched']).stream(), duplex: 'half'})).text()).trim());
  agent.destroy();
})().catch(error => {
  console.log(String(error));
  process.exit(1);
});
