import { sha256Hex } from '../../protocol/crypto/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { rosterOf, type CertifiedCheckpoint, type Roster } from '../../protocol/membership/index.ts';
import {
  decodeQuestion, encodeArgs, encodeResult, oracleFaults, packCountAnswer, packRangeAnswer, packRowAnswer, statementIdOf, type AnswerState, type Question,
} from '../../protocol/oracle/index.ts';
import { apiFaults, type LookupAnswer, type LookupRequest, type ResultAnswer, type ResultRequest } from '../../protocol/query/index.ts';
import { hexOf, type Epoch, type GroupId, type Height, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { ChainPort } from '../ports/index.ts';
import type { KeyAnswer } from '../storage/index.ts';
import { newestCheckpoint, type ReadParts } from './reads.ts';

/**
 * Answers a contract's question (ERC-3668) under the newest certified checkpoint, which comes along: the contract checks
 * everything, so nothing is signed here. ORACLE_*, API_*.
 */
export function answerLookup(parts: ReadParts, chain: ChainPort, question: Question): LookupAnswer {
  const certified = newestCheckpoint(parts.ledger, parts.group);
  const state: AnswerState = { kind: 'certified', roster: signersOf(chain, certified), certified };
  return { data: hexOf(packed(parts, state, certified.checkpoint.height, question)) };
}

export function questionOf({ data }: LookupRequest): Question {
  return decodeQuestion(data);
}

function packed({ ledger }: ReadParts, state: AnswerState, height: Height, question: Question): Uint8Array {
  const { kind, from, to } = question;
  if (kind === 'range') {
    const found = ledger.range(height, from, to, limits.oracleRows + 1);
    if (found === 'unavailable') throw damaged(from);
    if (found.keys.length > limits.oracleRows) throw oracleFaults.tooManyRows({ most: limits.oracleRows });
    return packRangeAnswer(state, found.proof, found.keys);
  }
  const first = known(ledger.readAt(height, from), from);
  if (kind === 'row') return packRowAnswer(state, question, first.proof, first.kind === 'present' ? first.stored : null);
  return packCountAnswer(state, question, first.proof, known(ledger.readAt(height, to), to).proof);
}

/** Runs a statement for a request of `QueryOracle` and signs the result for that request and payee alone. */
export async function signResult(parts: ReadParts, request: ResultRequest): Promise<ResultAnswer> {
  const { database, sql, params, asOf, minTimestamp } = request;
  const floor = asOf > minTimestamp ? asOf : minTimestamp;
  await parts.freshness.until(() => (parts.ledger.position().closeTs >= floor ? true : undefined));
  const outcome = await parts.pool.query({ database, sql, params, asOf: asOf as Timestamp });
  const bytes = encodeResult(outcome.columns, outcome.rows);
  const result = {
    group: parts.group, epoch: outcome.epoch, request: request.request, statement: statementIdOf(database, sql),
    args: sha256Hex(encodeArgs(params)), snapshot: outcome.snapshot, resultHash: sha256Hex(bytes), payee: request.payee,
  };
  return { result, signature: parts.signer.sign('OracleResult', result), bytes: hexOf(bytes) };
}

function signersOf(chain: ChainPort, { checkpoint }: CertifiedCheckpoint): Roster {
  const { group, epoch } = checkpoint;
  const replicas = chain.roster(group as GroupId, epoch as Epoch);
  if (replicas === undefined) throw apiFaults.notYet({ group, epoch, reason: 'this node has not read that roster from the chain yet' });
  return rosterOf(group as GroupId, epoch as Epoch, replicas);
}

function known(answer: KeyAnswer, path: Path): Exclude<KeyAnswer, { kind: 'unavailable' }> {
  if (answer.kind === 'unavailable') throw damaged(path);
  return answer;
}

function damaged(path: Path): Error {
  return apiFaults.unavailable({ path, reason: 'a stored row is damaged and is being repaired' });
}
