import { expect } from 'chai';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { exchangeOver, nodeExchange, type Call, type Exchange } from '../../../sdk/net/exchange.ts';

const call = (change: Partial<Call> = {}): Call => ({ method: 'GET', headers: { accept: 'x' }, body: undefined, timeoutMs: 2_000, ...change });
const nameOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'nothing', (error: Error) => `${error.name} ${String((error.cause as Error | undefined)?.name)}`);

const EXCHANGES: Readonly<Record<string, () => Promise<Exchange>>> = {
  'over fetch': async () => exchangeOver((url, init) => fetch(url, init)),
  'of Node': async () => await nodeExchange() as Exchange,
};

for (const [name, make] of Object.entries(EXCHANGES)) {
  describe(`an exchange ${name}`, () => {
    let server: Server;
    let url: string;
    let exchange: Exchange;
    let answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
    const sockets = new Set<Socket>();

    before(async () => {
      exchange = await make();
      server = createServer(async (request, response) => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        answer(request, response, Buffer.concat(parts));
      });
      server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    it('brings status, type and bytes, and the body there', async () => {
      answer = ({ method, headers }, response, body) => response.writeHead(422, { 'content-type': 'application/cbor' })
        .end(Buffer.concat([Buffer.from(`${method} ${headers['accept']} ${headers['content-length']} `), body]));
      const { status, type, bytes } = await exchange(`${url}/a`, call({ method: 'POST', body: Uint8Array.of(65, 66) }));
      expect([status, type, new TextDecoder().decode(bytes)]).to.deep.equal([422, 'application/cbor', 'POST x 2 AB']);
    });

    it('keeps its connections', async () => {
      answer = (_request, response) => response.end('x');
      for (let i = 0; i < 10; i++) await exchange(url, call());
      expect(sockets.size).to.be.below(4);
    });

    it('asks again when the server had closed the kept connection', async () => {
      answer = (_request, response) => response.end('x');
      await exchange(url, call());
      let asked = 0;
      answer = (request, response) => (asked++ === 0 ? request.socket.resetAndDestroy() : response.end('again'));
      const told = await exchange(url, call()).then(({ bytes }) => new TextDecoder().decode(bytes), () => 'lost');
      expect(told).to.equal(name === 'of Node' ? 'again' : 'lost'); // who calls asks another node then
    });

    it('rejects in time when nothing answers', async () => {
      answer = () => undefined;
      expect(await nameOf(exchange(url, call({ timeoutMs: 50 })))).to.contain('TimeoutError');
    });

    if (name === 'of Node') {
      it('rejects an answer that never comes to an end, once it is longer than any may be', async () => {
        const piece = new Uint8Array(4 * 1024 * 1024);
        answer = (request, response) => {
          const more = (): void => void (request.socket.destroyed || response.write(piece, more));
          more();
        };
        expect(await exchange(url, call({ timeoutMs: 20_000 })).then(() => '', ({ code }) => String(code))).to.equal('SDK_BAD_REPLY');
      }).timeout(30_000);
    }

    it('rejects an answer that breaks off', async () => {
      answer = (request, response) => {
        response.writeHead(200, { 'content-length': '10' });
        response.write('half', () => request.socket.destroy());
      };
      expect(await nameOf(exchange(url, call()))).to.not.contain('nothing');
    });
  });
}
