import { expect } from 'chai';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { connect as connectTcp } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createApi } from '../../../node/api/index.ts';
import { carryTo } from '../../../node/network/index.ts';
import type { NodeServices } from '../../../node/ports/index.ts';
import { decode, encode } from '../../../protocol/codec/index.ts';
import { defineFaults, InvariantError } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { apiFaults, httpStatusOf, nodeStatusW, operations, readAnswerW, readRequestW } from '../../../protocol/query/index.ts';
import { pathOf } from '../../../protocol/rows/index.ts';
import type { GroupId } from '../../../protocol/types/index.ts';
import { servicesOf } from '../sdk/nodes.ts';
import { World } from '../sdk/world.ts';

const DATABASE = `0x${'ab'.repeat(32)}`;

describe('node api', () => {
  const world = new World();
  const honest = servicesOf(world, 0);
  let api: FastifyInstance;
  let broken: InvariantError[] = [];
  const observed: string[] = [];

  function apiWith(services: Partial<NodeServices>, more: object = {}): FastifyInstance {
    return createApi({ services: { ...honest, ...services }, onBroken: (error) => broken.push(error), ...more });
  }

  before(async () => {
    const metrics = async (): Promise<{ contentType: string; body: string }> => ({ contentType: 'text/plain', body: 'up 1\n' });
    api = apiWith({}, { metrics, observe: (route: string, status: number) => observed.push(`${route} ${status}`) });
    await api.ready();
  });
  after(async () => api.close());
  beforeEach(() => { broken = []; });

  it('answers in JSON, and in CBOR for who asks', async () => {
    const json = await api.inject({ method: 'GET', url: '/v1/status' });
    expect(json.statusCode).to.equal(200);
    expect(nodeStatusW.fromJson(json.json())).to.deep.equal(honest.status());
    const cbor = await api.inject({ method: 'GET', url: '/v1/status', headers: { accept: 'application/cbor' } });
    expect(decode(nodeStatusW, new Uint8Array(cbor.rawPayload))).to.deep.equal(honest.status());
    expect(observed).to.include('/v1/status 200');
  });

  it('health is 503 when the node is not well', async () => {
    expect((await api.inject('/healthz')).statusCode).to.equal(200);
    const sick = apiWith({ health: () => ({ ok: false, checks: [{ name: 'chain', ok: false, detail: 'stale' }] }) });
    expect((await sick.inject('/healthz')).statusCode).to.equal(503);
    await sick.close();
  });

  it('serves metrics, and documents every operation', async () => {
    expect((await api.inject('/metrics')).body).to.equal('up 1\n');
    const { paths, openapi } = (await api.inject('/openapi.json')).json();
    expect(openapi).to.equal('3.1.0');
    const documented = Object.values(operations).map(({ url }) => url.replace(/:(\w+)/g, '{$1}'));
    expect(Object.keys(paths)).to.have.members(documented);
    expect(paths['/v1/read'].post.requestBody.content['application/json'].schema.properties).to.have.property('paths');
  });

  it('may be asked by any web page', async () => {
    const preflight = await api.inject({ method: 'OPTIONS', url: '/v1/read' });
    expect(preflight.statusCode).to.equal(204);
    expect(preflight.headers['access-control-allow-origin']).to.equal('*');
  });

  it('turns keys by name into paths before services see them', async () => {
    let asked: readonly string[] = [];
    const spy = apiWith({ read: async (request) => { asked = request.paths; return { checkpoint: world.certified(), entries: [] }; } });
    const reply = await spy.inject({ method: 'POST', url: '/v1/read', payload: { database: DATABASE, keys: [{ table: 'item', key: [7] }] } });
    expect(reply.statusCode).to.equal(200);
    expect(readAnswerW.fromJson(reply.json()).entries).to.deep.equal([]);
    expect(asked).to.deep.equal([pathOf(DATABASE as never, 'item', '', [7n])]);
    await spy.close();
  });

  const json = { 'content-type': 'application/json' };
  const cbor = { 'content-type': 'application/cbor' };
  const refusals: readonly (readonly [string, object, number, string])[] = [
    ['unknown address', { method: 'GET', url: '/v2/nothing' }, 404, 'API_NOT_FOUND'],
    ['wrong method', { method: 'DELETE', url: '/v1/read' }, 404, 'API_NOT_FOUND'],
    ['malformed address', { method: 'GET', url: '/v1/meter/%zz' }, 400, 'API_MALFORMED'],
    ['no body', { method: 'POST', url: '/v1/read' }, 400, 'API_MALFORMED'],
    ['malformed JSON', { method: 'POST', url: '/v1/read', headers: json, payload: '{"database":' }, 400, 'API_MALFORMED'],
    ['malformed CBOR', { method: 'POST', url: '/v1/read', headers: cbor, payload: Buffer.from('ff00', 'hex') }, 400, 'CODEC_MALFORMED'],
    ['deep CBOR', { method: 'POST', url: '/v1/tx', headers: cbor, payload: Buffer.alloc(200_000, 0x81) }, 400, 'CODEC_MALFORMED'],
    ['wrong content type', { method: 'POST', url: '/v1/read', headers: { 'content-type': 'text/xml' }, payload: '<a/>' }, 415, 'API_UNSUPPORTED_TYPE'],
    ['oversized', { method: 'POST', url: '/v1/read', headers: json, payload: `"${'x'.repeat(limits.requestBytes)}"` }, 413, 'API_OVERSIZED'],
    ['wrong type', { method: 'POST', url: '/v1/read', payload: { database: 7 } }, 400, 'CODEC_WRONG_SHAPE'],
    ['unknown field', { method: 'POST', url: '/v1/read', payload: { database: DATABASE, pathes: [] } }, 400, 'CODEC_WRONG_SHAPE'],
    ['prototype', { method: 'POST', url: '/v1/read', headers: json, payload: '{"__proto__":{"a":1}}' }, 400, 'API_MALFORMED'],
    ['too many', { method: 'POST', url: '/v1/read', payload: { database: DATABASE, paths: Array(limits.pathsPerRead + 1).fill(DATABASE) } }, 400, 'CODEC_WRONG_SHAPE'],
    ['unknown database', { method: 'POST', url: '/v1/read', payload: { database: DATABASE, paths: [DATABASE] } }, 404, 'API_UNKNOWN_DATABASE'],
    ['bad parameter', { method: 'GET', url: '/v1/checkpoint/0x12' }, 400, 'CODEC_WRONG_SHAPE'],
    ['bad group of a transaction', { method: 'POST', url: '/v1/tx?group=zz', headers: cbor, payload: Buffer.from('80', 'hex') }, 400, 'API_MALFORMED'],
  ];
  for (const [name, request, status, code] of refusals) {
    it(`${name} is ${status} ${code}, without a word about the inside`, async () => {
      const reply = await api.inject(request as never);
      expect([reply.statusCode, reply.json().error.code]).to.deep.equal([status, code]);
      expect(reply.json().error).to.have.all.keys('code', 'message', 'todo', 'facts');
      expect(reply.body).to.not.match(/node_modules|\.ts:\d|at \w+ \(/);
    });
  }

  it('a fault of the services keeps its code; anything else is API_INTERNAL', async () => {
    const { paid } = defineFaults('PAYMENT', { paid: ['x', 'y'] });
    const codes = [apiFaults.notYet(), apiFaults.overloaded(), paid(), new Error('secret path /etc/key'), 'text', undefined];
    for (const [i, error] of codes.entries()) {
      const failing = apiWith({ status: () => { throw error; } });
      const reply = await failing.inject('/v1/status');
      expect(reply.statusCode).to.equal(httpStatusOf(error));
      expect(reply.body).to.not.contain('secret');
      if (i > 2) expect(reply.json().error.code).to.equal('API_INTERNAL');
      await failing.close();
    }
  });

  it('a broken invariant is reported to the composition, which stops the node', async () => {
    const failing = apiWith({ meter: () => { throw new InvariantError('meter-runs-forward'); } });
    expect((await failing.inject(`/v1/meter/${DATABASE}`)).statusCode).to.equal(500);
    expect(broken.map(({ code }) => code)).to.deep.equal(['meter-runs-forward']);
    await failing.close();
  });

  it('limits requests per minute', async () => {
    const narrow = apiWith({}, { requestsPerMinute: 3 });
    const codes: number[] = [];
    for (let i = 0; i < 5; i++) codes.push((await narrow.inject('/healthz')).statusCode);
    expect(codes).to.deep.equal([200, 200, 200, 429, 429]);
    expect((await narrow.inject('/healthz')).json().error.code).to.equal('API_RATE_LIMITED');
    await narrow.close();
  });

  it('takes what a member of another group carries, and that member hears of a refusal', async () => {
    const carried: string[] = [];
    const carrying = apiWith({ carry: ({ group, message }) => { carried.push(`${group} ${message}`); return { decided: '0x' }; } });
    try {
      const url = await carrying.listen({ host: '127.0.0.1', port: 0 });
      await carryTo(url, DATABASE as GroupId, Uint8Array.of(1, 2));
      expect(carried).to.deep.equal([`${DATABASE} 0x0102`]);
      const refused = carryTo(`${url}/elsewhere/`, 'nonsense' as GroupId, Uint8Array.of(1));
      expect(await refused.catch((error: { code: string }) => error.code)).to.equal('NETWORK_NOT_CARRIED');
    } finally {
      await carrying.close();
    }
  });

  it('mounts further plugins', async () => {
    const more = apiWith({}, { plugins: [async (scope: FastifyInstance) => { scope.get('/extra', async () => ({ extra: true })); }] });
    expect((await more.inject('/extra')).json()).to.deep.equal({ extra: true });
    await more.close();
  });

  it('survives bytes that are not HTTP', async () => {
    const raw = apiWith({});
    await raw.listen({ host: '127.0.0.1', port: 0 });
    const { port } = raw.server.address() as AddressInfo;
    const reply = await new Promise<string>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => socket.write('\x16\x03\x01 garbage\r\n\r\n'));
      let text = '';
      socket.on('data', (data) => { text += data.toString(); }).on('close', () => resolve(text));
    });
    expect(reply).to.match(/^HTTP\/1\.1 400/).and.contain('API_MALFORMED');
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200);
    await raw.close();
  });

  describe('a body that is too large', () => {
    const MANY = 12;
    const body = Buffer.alloc(5 * limits.requestBytes, 'x');
    let url: string;
    let open: FastifyInstance;

    before(async () => {
      open = apiWith({});
      url = await open.listen({ host: '127.0.0.1', port: 0 });
    });
    after(() => open.close());

    /** As browsers do: listens only when everything is sent, and asks for the end of the connection. */
    const sendThenListen = (framing: string, bytes: Buffer): Promise<string> => new Promise((resolve, reject) => {
      const { port, hostname } = new URL(url);
      let text = '';
      const socket = connectTcp(Number(port), hostname, () => {
        socket.write(`POST /v1/query HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`);
        socket.write(bytes, () => socket.on('data', (data) => { text += data.toString(); }));
      });
      socket.once('error', reject).once('close', () => resolve(text));
    });

    it('is refused with its code, however often, and the next request is answered', async () => {
      for (let n = 0; n < MANY; n++) {
        const refused = await fetch(`${url}/v1/query`, { method: 'POST', headers: json, body });
        expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).to.deep.equal([413, 'API_OVERSIZED']);
        expect((await fetch(`${url}/healthz`)).status).to.equal(200);
      }
    });

    it('is refused where the client sends all of it before it listens, announced or in chunks', async () => {
      const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
      for (let n = 0; n < MANY; n++) {
        const answers = [await sendThenListen(`content-length: ${body.length}`, body), await sendThenListen('transfer-encoding: chunked', chunk)];
        for (const answer of answers) expect(answer).to.match(/^HTTP\/1\.1 413/).and.contain('API_OVERSIZED');
      }
    });
  });

  it('never answers 5xx to a random body, in either form', async () => {
    const posts = Object.values(operations).filter(({ method }) => method === 'POST').map(({ url }) => url);
    const cbor = fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ type: 'application/cbor', payload: Buffer.from(bytes) }));
    const json = fc.jsonValue().map((value) => ({ type: 'application/json', payload: JSON.stringify(value) }));
    const close = fc.record({
      database: fc.constantFrom(DATABASE, 1, null), paths: fc.array(fc.constantFrom(DATABASE, '0x', 5)), sql: fc.string(), params: fc.array(fc.jsonValue()),
      group: fc.constantFrom(DATABASE, world.group), ranks: fc.array(fc.constantFrom('1', '-1', '99999999999999999999999')),
      from: fc.constant(DATABASE), to: fc.constant(DATABASE),
    }, { requiredKeys: [] }).map((value) => ({ type: 'application/json', payload: JSON.stringify(value) }));
    await fc.assert(fc.asyncProperty(fc.constantFrom(...posts), fc.oneof(cbor, json, close), async (url, { type, payload }) => {
      const reply = await api.inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
      expect(reply.statusCode).to.be.below(500);
      expect(reply.json()).to.be.an('object');
    }), { numRuns: 400 });
  });

  it('every shape round-trips between value, JSON and CBOR', () => {
    const key = [1, 'a', null, { real: 1 }, { blob: '0x00ff' }, { integer: '9007199254740993' }];
    const request = readRequestW.fromJson({ database: DATABASE, keys: [{ table: 't', key }] });
    expect(request.keys[0]?.key).to.deep.equal([1n, 'a', null, 1, Uint8Array.of(0, 255), 9007199254740993n]);
    expect(readRequestW.fromJson(readRequestW.toJson(request))).to.deep.equal(request);
    expect(decode(readRequestW, encode(readRequestW, request))).to.deep.equal(request);
  });
});
