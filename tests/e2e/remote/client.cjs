// A client of the remote protocol that knows nothing but docs/remote-protocol.md and its schema:
// Node with ws. Each text message, in both directions, must be one of the schema's.
//
//   NODE_PATH=/usr/share/nodejs node client.cjs SCHEMA PORT FOLDER
//
// FOLDER has ca.crt, host1.crt and host1.key, and the policy lets host1 run /bin/sh -c.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const Ajv = require('ajv');
const WebSocket = require('ws');

const [schemaFile, port, folder] = process.argv.slice(2);
const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const ajv = new Ajv({allErrors: true});
const isMessage = ajv.compile(schema);

function check(message) {
  if (!isMessage(message)) {
    throw new Error(`not in the schema: ${JSON.stringify(message)}: ${ajv.errorsText(isMessage.errors)}`);
  }
}

const secrets = {
  ca: fs.readFileSync(`${folder}/ca.crt`),
  cert: fs.readFileSync(`${folder}/host1.crt`),
  key: fs.readFileSync(`${folder}/host1.key`),
};

class Client {
  constructor(path = '/genapp', protocol = 'genapp.remote.v1', more = {}) {
    this.events = [];
    this.output = {1: Buffer.alloc(0), 2: Buffer.alloc(0)};
    this.replies = new Map();
    this.waiting = [];
    this.ref = 0;
    this.socket = new WebSocket(`wss://localhost:${port}${path}`, protocol, {...secrets, ...more});
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.closed = new Promise(
        (resolve) => this.socket.on('close', (code, reason) => resolve([code, reason.toString()])));
    this.socket.on('message', (data, binary) => this.take(data, binary));
  }

  take(data, binary) {
    if (binary) {
      const stream = data.readUInt8(0);
      const offset = Number(data.readBigUInt64BE(1));
      assert.equal(offset, this.output[stream].length, 'a gap, or bytes twice');
      this.output[stream] = Buffer.concat([this.output[stream], data.subarray(9)]);
      this.tell({do: 'taken', stdout: this.output[1].length, stderr: this.output[2].length});
    } else {
      const message = JSON.parse(data);
      check(message);
      if (message.event) this.events.push(message);
      else this.replies.set(message.ref, message);
    }
    this.waiting = this.waiting.filter((look) => !look());
  }

  tell(message) {
    check(message);
    this.socket.send(JSON.stringify(message));
  }

  until(there) {
    return new Promise((resolve) => {
      const look = () => {
        const found = there();
        if (found) resolve(found);
        return found;
      };
      if (!look()) this.waiting.push(look);
    });
  }

  ask(request) {
    const ref = ++this.ref;
    this.tell({...request, ref});
    return this.until(() => this.replies.get(ref));
  }

  event(name) {
    return this.until(() => this.events.find((each) => each.event === name));
  }
}

const shell = (session, text, more = {}) =>
    ({do: 'start', session, manager: 'node-1', command: ['/bin/sh', '-c', text], ...more});

async function greets() {
  const client = new Client();
  await client.opened;
  const hello = await client.event('hello');
  assert.equal(hello.version, 1);
  assert.equal(hello.certificate, 'host1');
  assert.equal(client.socket.protocol, 'genapp.remote.v1');
  client.socket.close();
  await client.closed;
}

async function runsACommand() {
  const client = new Client();
  await client.opened;
  const reply = await client.ask(shell('node-a', 'seq 1 50000; echo wrong >&2; exit 3'));
  assert.equal(reply.ok, true);
  assert.equal(reply.started, true);
  assert.equal(reply.session.state, 'running');
  assert.deepEqual((await client.event('ended')).end, {code: 3});
  const end = await client.event('output-end');
  await client.until(() => client.output[1].length === end.stdout && client.output[2].length === end.stderr);
  assert.ok(client.output[1].toString().endsWith('\n49999\n50000\n'));
  assert.equal(client.output[2].toString(), 'wrong\n');
  const acknowledged = await client.ask({do: 'acknowledge', session: 'node-a'});
  assert.deepEqual(acknowledged.session.end, {code: 3});
  assert.equal((await client.ask({do: 'session', session: 'node-a'})).error, 'unknown-session');
  client.socket.close();
}

async function comesAgain() {
  const first = new Client();
  await first.opened;
  const pid = (await first.ask(shell('node-b', 'echo begun; exec sleep 1000'))).session.pid;
  first.socket.terminate();
  const second = new Client();
  await second.opened;
  const again = await second.ask(shell('node-b', 'echo begun; exec sleep 1000'));
  assert.equal(again.started, false);
  assert.equal(again.session.pid, pid);
  // The same manager anew: the former connection is told.
  const third = new Client();
  await third.opened;
  await third.ask({do: 'attach', session: 'node-b', manager: 'node-1', timeout: 5});
  assert.deepEqual(await second.closed, [4000, 'replaced']);
  const other = new Client();
  await other.opened;
  assert.equal((await other.ask({do: 'attach', session: 'node-b', manager: 'node-2'})).error, 'busy');
  const list = await other.ask({do: 'sessions'});
  assert.deepEqual(list.sessions.map((each) => each.session), ['node-b']);
  assert.equal((await other.ask({do: 'signal', session: 'node-b', signal: 'KILL'})).error, 'denied');
  const stopped = await third.ask({do: 'stop', session: 'node-b', kill_after: 5, forget: true});
  assert.deepEqual(stopped.session.end, {signal: 15});
  third.socket.close();
  other.socket.close();
}

async function isRefused() {
  const client = new Client();
  await client.opened;
  const denied = await client.ask(
      {do: 'start', session: 'x', manager: 'm', command: ['/bin/rm', '-rf', '/'], attach: false});
  assert.equal(denied.error, 'denied');
  client.socket.send('{"do":"dance","ref":77}');
  assert.equal((await client.until(() => client.replies.get(77))).error, 'bad-request');
  client.socket.send(Buffer.from([1, 2, 3]));
  assert.equal((await client.closed)[0], 1003);
  for (const [wrong, status] of [
    [new Client('/elsewhere'), 404],
    [new Client('/genapp', 'chat'), 400],
  ]) {
    await assert.rejects(wrong.opened, new RegExp(String(status)));
  }
  await assert.rejects(new Client('/genapp', 'genapp.remote.v1', {maxVersion: 'TLSv1.2'}).opened);
  const anonymous = new Client('/genapp', 'genapp.remote.v1', {cert: undefined, key: undefined});
  await assert.rejects(anonymous.opened);
}

async function main() {
  for (const step of [greets, runsACommand, comesAgain, isRefused]) {
    await step();
    console.log(`ok ${step.name}`);
  }
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
