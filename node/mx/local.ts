import { decode } from '../../protocol/codec/index.ts';
import {
  asksForDictionary, dictionaryColumns, DICTIONARY_ENTITY, queryC, reformulate, rowsOfDictionary, type Dictionary, type Query,
} from '../../protocol/dictionary/index.ts';
import type { Answer, MxInput, Outcome, Get, Put } from '../../protocol/mx/index.ts';
import type { Hash32 } from '../../protocol/types/index.ts';
import { mxServiceFaults as faults } from './faults.ts';
import type { LocalRows, MxOptions } from './options.ts';

type Answered = Pick<Extract<MxInput, { kind: 'answered' }>, 'outcome' | 'answer' | 'more'>;

/** The node's own data as the MX core sees it: a request goes in, one or more answers come out. */
export interface LocalSide {
  evaluate(transaction: Hash32, request: Get | Put, listed: boolean, want: number, answered: (answer: Answered) => void): void;
  cancel(transaction: Hash32): void;
  dictionary(): Dictionary;
  close(): void;
}

const nothing = (outcome: Outcome): Answered => ({ outcome, answer: null, more: false });

/** Canonical query of a GET; throws CODEC_* and DICTIONARY_BAD_QUERY. */
export function queryOf(request: Get): Query {
  return decode(queryC, request.ask.query);
}

export function createLocalSide(options: MxOptions): LocalSide {
  const { dictionary, answerLocally, watchLocally, applyPut, onNotice } = options;
  const exported = (): Dictionary => (typeof dictionary === 'function' ? dictionary() : dictionary);
  const running = new Map<Hash32, () => void>();

  const put = async (request: Put, listed: boolean): Promise<Answered> => {
    if (!listed) return nothing('skipped');
    if (applyPut === undefined) return nothing('failed');
    await applyPut(request.ask.write, request.ask.client);
    return nothing('applied');
  };

  const get = async (transaction: Hash32, request: Get, want: number, later: (answer: Answered) => void): Promise<Answered> => {
    const query = queryOf(request);
    if (asksForDictionary(query)) return rowsAnswer(dictionaryAnswer(exported()), false);
    const local = reformulate(query, exported(), want);
    if (local === undefined) return nothing('none');
    const { table: entity, columns, quality } = local;
    const answerOf = (rows: LocalRows): Answer => ({ entity, columns, quality, rows: checked(rows, columns.length) });
    const follows = request.ask.mode === 'follow' && watchLocally !== undefined;
    if (follows) {
      const early: LocalRows[] = []; // rows that appear while the first answer is still being read
      let emit = (rows: LocalRows): void => void early.push(rows);
      running.set(transaction, watchLocally(local.sql, local.params, (rows) => emit(rows)));
      const rows = await answerLocally(local.sql, local.params);
      emit = (more) => later(rowsAnswer(answerOf(more), true)); // throws into the watcher, whose rows they are
      return rowsAnswer(answerOf([...rows, ...early.flat()]), true);
    }
    return rowsAnswer(answerOf(await answerLocally(local.sql, local.params)), false);
  };

  const cancel = (transaction: Hash32): void => {
    running.get(transaction)?.();
    running.delete(transaction);
  };
  return {
    evaluate(transaction, request, listed, want, answered) {
      const result = request.kind === 'put' ? put(request, listed) : get(transaction, request, want, answered);
      result.then(answered, (cause: unknown) => {
        cancel(transaction);
        onNotice?.({ kind: 'failed', transaction, cause });
        answered(nothing('failed'));
      });
    },
    cancel,
    dictionary: exported,
    close() {
      for (const transaction of running.keys()) cancel(transaction);
    },
  };
}

/** A wrong value would only be noticed when it is signed: here it fails one request. Throws MX_SERVICE_BAD_ROWS. */
function checked(rows: LocalRows, columns: number): LocalRows {
  for (const row of rows) {
    if (row.length !== columns || !row.every(isScalar)) throw faults.badRows({ columns, values: row.length });
  }
  return rows;
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value;
  return value === null || typeof value === 'string' || value instanceof Uint8Array || Number.isFinite(value);
}

function rowsAnswer(answer: Answer, more: boolean): Answered {
  return { outcome: answer.rows.length > 0 || more ? 'rows' : 'none', answer, more };
}

function dictionaryAnswer(dictionary: Dictionary): Answer {
  return { entity: DICTIONARY_ENTITY, columns: dictionaryColumns, quality: 1, rows: rowsOfDictionary(dictionary) };
}
