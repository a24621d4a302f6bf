// Node's own HTTP server with the endpoints that http_battery.py calls "app".
const crypto = require('crypto'), events = require('events'), http = require('http');
const block = Buffer.alloc(1 << 20, Buffer.from(Array.from({length: 256}, (_, i) => i)));

async function* pieces(n, size) {
  for (; n > 0; n -= size) yield block.subarray(0, Math.min(n, size));
}

async function write(response, n, size) {
  for await (const piece of pieces(n, size))
    if (!response.write(piece)) await events.once(response, 'drain');
  response.end();
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://node'), n = Number(url.searchParams.get('n') || 0);
  if (url.pathname === '/bytes') {
    response.writeHead(200, {'Content-Length': n, 'Content-Type': 'application/octet-stream'});
    if (request.method === 'HEAD') return response.end();
    return write(response, n, 1 << 20);
  }
  if (url.pathname === '/stream') return write(response, n, 1000);
  if (url.pathname === '/mirror') return request.pipe(response);
  if (url.pathname === '/none') return response.writeHead(204).end();
  if (url.pathname === '/cookies') return response.writeHead(200, [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2; Path=/']]).end('cookies');
  if (url.pathname === '/early') {
    response.writeEarlyHints({link: '</style.css>; rel=preload; as=style'});
    return response.end('late');
  }
  const sum = crypto.createHash('sha256');
  let length = 0;
  request.on('data', data => { sum.update(data); length += data.length; });
  request.on('end', () => {
    if (url.pathname === '/sum') return response.end(`${length} ${sum.digest('hex')}\n`);
    const headers = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) headers.push([request.rawHeaders[i], request.rawHeaders[i + 1]]);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({method: request.method, target: request.url, headers}));
  });
});
server.listen(3000);
