/**
 * What an operator sees: JSON log lines with secrets cut out, numbers for Prometheus, and one function
 * per event that does both. Nothing is global: two nodes in one process have two of everything.
 *
 * @example
 *   const log = createLogger({ bindings: { node: signer.address } });
 *   const metrics = createMetrics({ process: true });
 *   const events = createNodeEvents(log, metrics);
 *   metrics.network.watch(() => transport.stats());
 */
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { createMetrics, type GroupSample, type Metrics } from './metrics.ts';
export { createNodeEvents, type GroupMilestone, type NodeEvents } from './events.ts';
