// A WebSocket client: WHAT ARGUMENT [URL]. compare -: texts, binary messages and a ping, shown; load N: N echoes; until FILE: echoes until
// the file exists, each of them a byte in FILE.echoes.
const crypto = require('crypto'), fs = require('fs'), WebSocket = require('ws');
const [what, argument, url = 'ws://websocket:8081/'] = process.argv.slice(2);
const socket = new WebSocket(url);
const digest = data => `${data.length} ${crypto.createHash('sha256').update(data).digest('hex').slice(0, 16)}`;
const once = event => new Promise((done, failed) => {
  socket.once(event, (...values) => done(values));
  socket.once('close', code => failed(new Error(`closed with ${code}`)));
  socket.once('error', failed);
});

async function echo(data) {
  const answer = once('message');
  socket.send(data);
  const [got, binary] = await answer;
  socket.removeAllListeners('close').removeAllListeners('error');
  return [got, binary];
}

async function compare() {
  for (const size of [0, 1, 125, 126, 65535, 65536, 5 << 20]) {
    const [got, binary] = await echo(Buffer.alloc(size, 'binary '));
    console.log('binary', digest(got), binary);
    const [text, isBinary] = await echo('ä'.repeat(size / 2));
    console.log('text', digest(text), isBinary);
  }
  const pong = once('pong');
  socket.ping('are you there');
  console.log('pong', String((await pong)[0]));
}

async function load(count) {
  for (let i = 0; i < count; i++) await echo(`message ${i}`);
}

async function until(file) {
  let count = 0;
  for (; !fs.existsSync(file); count++) {
    const [got] = await echo(`message ${count}`);
    if (String(got) !== `message ${count}`) throw new Error(`${got} instead of message ${count}`);
    fs.appendFileSync(`${file}.echoes`, '.');
    await new Promise(done => setTimeout(done, 5));
  }
  console.log(count);
}

socket.on('upgrade', response => what === 'compare' && console.log('upgraded', response.statusCode, response.headers['sec-websocket-extensions']));
socket.once('open', async () => {
  socket.removeAllListeners('close').removeAllListeners('error');
  try {
    await (what === 'compare' ? compare() : what === 'load' ? load(Number(argument)) : until(argument));
    socket.removeAllListeners('close').once('close', code => {
      if (what === 'compare') console.log('closed', code);
    });
    socket.close(1000);
  } catch (error) {
    console.log(String(error));
    process.exit(1);
  }
});
socket.once('error', error => {
  console.log(String(error));
  process.exit(1);
});
