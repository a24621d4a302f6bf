// The package ws with an echo at /, and server-sent events at /events?n=&every=MS.
const http = require('http'), {WebSocketServer} = require('ws');

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://websocket');
  if (url.pathname !== '/events') return response.end('nothing here\n');
  const last = Number(url.searchParams.get('n')), every = Number(url.searchParams.get('every'));
  let sent = 0;
  response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
  const timer = setInterval(() => {
    response.write(`id: ${++sent}\ndata: event ${sent}\n\n`);
    if (sent === last) {
      clearInterval(timer);
      response.end();
    }
  }, every);
  request.on('close', () => clearInterval(timer));
});
new WebSocketServer({server, maxPayload: 100 << 20}).on('connection', socket => {
  socket.on('message', (data, binary) => socket.send(data, {binary}));
});
server.listen(8081);
