/**
 * The HTTP door of a node for clients (P-3.2-role-consumer): it serves `NodeServices` as JSON and CBOR,
 * documents itself at /openapi.json, and answers every input with an answer or a coded fault. It
 * holds no state of its own and knows nothing of consensus or storage.
 *
 * @example
 *   const api = createApi({ services, log, metrics, plugins: [mx] });
 *   await api.listen({ host: '0.0.0.0', port: 7400 });
 */
export { createApi, type ApiOptions } from './api.ts';
