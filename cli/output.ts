/**
 * What a command prints. In `--json` mode stdout carries exactly one JSON value, progress goes to
 * stderr; otherwise people get lines, tables and bars.
 */
import { styleText } from 'node:util';

export interface Output {
  readonly json: boolean;
  /** One line for people; nothing in JSON mode. */
  line(text?: string): void;
  /** A heading for people. */
  title(text: string): void;
  /** A table for people. */
  table(columns: readonly string[], rows: readonly (readonly unknown[])[]): void;
  /** The command's result: printed as JSON in JSON mode only. */
  result(value: unknown): void;
  /** Progress of long work; `done` of `total` units. */
  progress(label: string, done: number, total: number): void;
}

const BAR_CELLS = 28;

export function createOutput(json: boolean): Output {
  const line = (text = ''): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  return {
    json,
    line,
    title: (text) => line(`\n${styleText('bold', text)}`),
    table: (columns, rows) => line(renderTable(columns, rows)),
    result(value) {
      if (json) process.stdout.write(`${JSON.stringify(value, jsonValue, 2)}\n`);
    },
    progress(label, done, total) {
      if (json || total === 0) return;
      const text = progressBar(label, done, total);
      if (process.stdout.isTTY) process.stdout.write(`\r${text}${done >= total ? '\n' : ''}`);
      else if (done >= total || Math.floor((done * 4) / total) !== Math.floor(((done - 1) * 4) / total)) line(text);
    },
  };
}

export function progressBar(label: string, done: number, total: number): string {
  const full = Math.round((BAR_CELLS * Math.min(done, total)) / total);
  return `${label} [${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${done}/${total}`;
}

/** Columns padded to their widest cell; numbers to the right. */
export function renderTable(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => cellText(row[i])));
  const widths = columns.map((name, i) => Math.max(name.length, ...cells.map((row) => (row[i] as string).length)));
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === null || isNumeric(row[i])));
  const pad = (text: string, i: number): string => (right[i] ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number));
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  return [columns.map(pad).join(' | '), rule, ...cells.map((row) => row.map(pad).join(' | '))].map((text) => text.trimEnd()).join('\n');
}

/** JSON form of values that JSON lacks: big integers as decimal strings, bytes as hex. */
export function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  return value;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return String(value).replaceAll('\n', ' ');
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
