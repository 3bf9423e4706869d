import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { isPicoloError } from '../../protocol/errors/index.ts';

export type { Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly level?: LogLevel;
  /** Fields of every line, for example the node's address. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
}

/** Field names that hold secrets, wherever they turn up to this depth. */
const SECRETS = ['key', 'privateKey', 'operatorKey', 'hotKey', 'password', 'secret', 'mnemonic', 'authorization', 'cookie'];
const REDACTED = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** One JSON line per event. Secrets are cut out by name; faults appear with code, facts and advice. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: options.bindings ?? {},
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[secret]' },
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }), log: printable },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

function describeError(error: unknown): unknown {
  if (isPicoloError(error)) return { ...error.toJSON(), ...(error.cause === undefined ? {} : { cause: causeOf(error.cause) }) };
  if (error instanceof Error) return { code: error.name, message: error.message, stack: error.stack };
  return { message: String(error) };
}

function causeOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** JSON has no big integers: decimal strings, as everywhere on the wire. */
function printable(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]));
}
