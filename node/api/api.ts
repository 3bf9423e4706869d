import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, type FastifyPluginCallback } from 'fastify';
import type { Socket } from 'node:net';
import type { InvariantError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { apiFaults, type Health, type Shape } from '../../protocol/query/index.ts';
import type { NodeServices } from '../ports/index.ts';
import { CBOR, requestOf, sendAnswer } from './bodies.ts';
import { failureText, sendFailure } from './failures.ts';
import { openApiInfo, schemaOf } from './openapi.ts';
import { routes, type Route } from './routes.ts';

export interface ApiOptions {
  readonly services: NodeServices;
  /** A pino logger; silent without. */
  readonly log?: FastifyBaseLogger;
  /** Prometheus text for /metrics; without it there is no such page. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Called after every answer, for the request metrics. */
  readonly observe?: (route: string, status: number, durationMs: number) => void;
  /** More of the house on the same server (the MX WebSocket). */
  readonly plugins?: readonly (FastifyPluginAsync | FastifyPluginCallback)[];
  /** A service broke an invariant: the composition stops the node before it signs again. */
  readonly onBroken?: (error: InvariantError) => void;
  /** Take the client address from x-forwarded-for: only behind the operator's own proxy. */
  readonly trustProxy?: boolean;
  readonly requestBytes?: number;
  readonly requestsPerMinute?: number;
}

/** The HTTP server of a node, not yet listening: `await api.listen({ port })`, `api.inject` in tests. */
export function createApi(options: ApiOptions): FastifyInstance {
  const app = fastify({
    ...(options.log === undefined ? {} : { loggerInstance: options.log }),
    bodyLimit: options.requestBytes ?? limits.requestBytes,
    requestTimeout: limits.apiRequestMs,
    trustProxy: options.trustProxy ?? false,
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: (_error, socket) => refuseRawRequest(socket as Socket),
    frameworkErrors: (error, request, reply) => sendFailure(error, request, reply, onBroken),
  });
  const onBroken = options.onBroken ?? ((): void => {});
  // The wire shapes are the only validator and printer: the schemas of the routes are documentation made from them.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addContentTypeParser(CBOR, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, onBroken));
  app.setNotFoundHandler((request, reply) => sendFailure(apiFaults.notFound({ path: request.url.slice(0, 200) }), request, reply, onBroken));
  shareWithBrowsers(app);
  if (options.observe !== undefined) observeAnswers(app, options.observe);
  void app.register(swagger, openApiInfo);
  void app.register(rateLimit, {
    max: options.requestsPerMinute ?? limits.requestsPerMinute, timeWindow: 60_000, errorResponseBuilder: () => apiFaults.rateLimited(),
  });
  void app.register(async (scope) => mount(scope, app, options));
  for (const plugin of options.plugins ?? []) void app.register(plugin as FastifyPluginAsync);
  return app;
}

async function mount(scope: FastifyInstance, app: FastifyInstance, options: ApiOptions): Promise<void> {
  for (const route of routes) addRoute(scope, route, options.services);
  scope.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  const { metrics } = options;
  if (metrics === undefined) return;
  scope.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const { contentType, body } = await metrics();
    return reply.type(contentType).send(body);
  });
}

function addRoute(scope: FastifyInstance, route: Route, services: NodeServices): void {
  scope.route({
    method: route.method,
    url: route.url,
    schema: schemaOf(route),
    handler: async (request, reply) => {
      const answer: unknown = await route.run(services, requestOf(route, request));
      if (route.name === 'health' && !(answer as Health).ok) reply.code(503);
      return sendAnswer(request, reply, route.answer as Shape<unknown>, answer);
    },
  });
}

/** Answers carry no cookies and no secrets, so any page may ask: the SDK runs in browsers. */
function shareWithBrowsers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('access-control-allow-origin', '*').header('x-content-type-options', 'nosniff');
    if (request.method !== 'OPTIONS') return;
    reply.header('access-control-allow-methods', 'GET, POST').header('access-control-allow-headers', 'content-type, accept').header('access-control-max-age', '86400');
    return reply.code(204).send();
  });
}

function observeAnswers(app: FastifyInstance, observe: NonNullable<ApiOptions['observe']>): void {
  app.addHook('onResponse', async (request, reply) => {
    observe(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
  });
}

/** Bytes that are not HTTP at all. */
function refuseRawRequest(socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = failureText(apiFaults.malformed({ reason: 'the bytes are not an HTTP request' }));
  socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
