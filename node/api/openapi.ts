import type { SwaggerOptions } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import type { JsonSchema } from '../../protocol/query/index.ts';
import type { Route } from './routes.ts';

export const openApiInfo: SwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Picolo node',
      version: '1',
      description: 'Bytes are 0x hex, wide integers decimal text. Every operation also speaks application/cbor: fields as arrays in declared order.',
    },
  },
};

const failure: JsonSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { type: 'string' }, message: { type: 'string' }, todo: { type: 'string' }, facts: { type: 'object', additionalProperties: true } },
      required: ['code', 'message', 'todo', 'facts'],
    },
  },
  required: ['error'],
};

/** Documentation of a route, made from its shapes. */
export function schemaOf(route: Route): FastifySchema {
  const answers = { 200: route.answer.schema, '4xx': failure, '5xx': failure };
  const base = { summary: route.summary, response: answers };
  if (route.method === 'POST') return { ...base, body: route.request.schema };
  return { ...base, ...parameters(route.url, route.request.schema) };
}

function parameters(url: string, schema: JsonSchema): FastifySchema {
  const properties = Object.entries(schema.properties as Record<string, JsonSchema>);
  const inPath = properties.filter(([name]) => url.includes(`:${name}`));
  const inQuery = properties.filter(([name]) => !url.includes(`:${name}`));
  if (properties.length === 0) return {};
  return {
    params: { type: 'object', properties: Object.fromEntries(inPath), required: inPath.map(([name]) => name) },
    ...(inQuery.length === 0 ? {} : { querystring: { type: 'object', properties: Object.fromEntries(inQuery) } }),
  };
}
