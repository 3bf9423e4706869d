/**
 * Runs the steps of the demo in order, prints what each proved, and keeps the facts for `--json`.
 */
import { writeFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { jsonValue, renderTable } from '../../cli/output.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';

export type Figure = string | number | bigint | boolean | null | readonly Figure[] | { readonly [name: string]: Figure };

/** What one step measured; `say` prints a line while it runs. */
export interface StepContext {
  say(text: string): void;
  figure(name: string, value: Figure): void;
}

export interface Step<W> {
  readonly name: string;
  readonly run: (world: W, step: StepContext) => Promise<void>;
}

export interface StepFacts {
  readonly name: string;
  ok: boolean;
  seconds: number;
  readonly figures: Record<string, Figure>;
  error?: string;
}

/** Stops at the first step that fails; returns the facts of all that ran. */
export async function tell<W>(world: W, steps: readonly Step<W>[]): Promise<StepFacts[]> {
  const facts: StepFacts[] = [];
  for (const [i, step] of steps.entries()) {
    const fact: StepFacts = { name: step.name, ok: false, seconds: 0, figures: {} };
    facts.push(fact);
    console.log(`\n${styleText('bold', `${i + 1}/${steps.length} ${step.name}`)}`);
    const startedMs = performance.now();
    try {
      await step.run(world, {
        say: (text) => console.log(`    ${text}`),
        figure: (name, value) => (fact.figures[name] = value),
      });
      fact.ok = true;
    } catch (error) {
      fact.error = isPicoloError(error) ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    fact.seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    console.log(fact.ok ? `    ok, ${fact.seconds} s` : `    FAILED after ${fact.seconds} s: ${fact.error}`);
    if (!fact.ok) break;
  }
  return facts;
}

export function writeFacts(file: string, facts: unknown): void {
  writeFileSync(file, `${JSON.stringify(facts, jsonValue, 2)}\n`);
}

export function printTable(title: string, columns: readonly string[], rows: readonly (readonly unknown[])[]): void {
  console.log(`\n${styleText('bold', title)}\n${renderTable(columns, rows)}`);
}

/** Turns a false claim into a failed step; the demo proves what it prints. */
export function prove(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`not so: ${claim}`);
}

/** p50 and p99 of a sample, in milliseconds with two decimals. */
export function percentiles(samplesMs: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
