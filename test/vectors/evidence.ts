/**
 * Writes `test/vectors/evidence.json`: reports of every offence as bytes, with what a judge needs to know of the chain and
 * what it must say. Enough to test a watcher in another language; test/unit/evidence compares the file.
 *
 *   node test/vectors/evidence.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addressOf } from '../../protocol/crypto/index.ts';
import { decodeCall, encodeEvidence, judgeFlat, offenceNumber, type Evidence, type JudgeContext } from '../../protocol/evidence/index.ts';
import { bytesOf, hexOf, type Address, type GroupId, type Hex } from '../../protocol/types/index.ts';
import { beneficiary, guiltyCases, querier } from '../contracts/all-cases.ts';
import { ackThenConsume, doubleBlockVote, falseAnswer, falseHistory, h, lockRegress, rankUnderreport, voteConflict, type Place } from '../contracts/cases.ts';
import type { World } from '../contracts/world.ts';

export const file = fileURLToPath(new URL('./evidence.json', import.meta.url));
const NOW = 1_800_000_000n;
const members = [1, 2, 3, 4]
  .map((n) => bytesOf(`0x${(0x1000 + n).toString(16).padStart(64, '0')}`))
  .map((key) => ({ key, address: addressOf(key), owner: undefined as never }))
  .sort((a, b) => (a.address < b.address ? -1 : 1));
const group = h('the group of these vectors') as unknown as GroupId;
const roster = members.map(({ address }) => address);
const place: Place = {
  world: { domain: { chainId: 31_337n, verifyingContract: `0x${'5a'.repeat(20)}` as Address } } as World, // no more of it is used
  group: { cluster: h('its cluster'), group, index: 0, members, roster, packed: '' }, epoch: 1n,
};

/** The chain of these vectors: the epoch lasts, nobody was convicted. */
export const context: JudgeContext = {
  domain: place.world.domain, now: NOW, evidenceWindow: 14n * 86_400n, absolution: 86_400n,
  epochOf: (id, epoch) => (id === group && epoch === 1n ? { roster, endedAt: undefined } : undefined),
  signerOf: (signer) => (roster.includes(signer) ? { node: signer, status: 'active', lastFaultAt: 0n } : undefined),
};

function reports(): readonly Evidence[] {
  return [
    ...guiltyCases(place, NOW - 60n),
    voteConflict(place, 1, beneficiary, { mode: 'R', tsMs: 4 }, { mode: 'W', tsMs: 5 }), doubleBlockVote(place, 0, beneficiary, ['x', 'x']),
    { ...doubleBlockVote(place, 0, beneficiary), culprit: 2 }, lockRegress(place, 0, beneficiary, [3, 5], 2), rankUnderreport(place, 1, beneficiary, { newView: 2n }),
    ackThenConsume(place, 3, beneficiary, { consumer: 'own' }), falseAnswer(place, 1, 'absent', querier, NOW - 60n, { honest: true }),
    falseAnswer(place, 1, 'present', querier, NOW + 60n), falseHistory(place, 1, querier, NOW - 60n, 'certificate', { honest: true }),
  ];
}

export interface EvidenceVector {
  readonly offence: string;
  readonly number: number;
  readonly slasher: string;
  readonly call: Hex;
  readonly verdict: { readonly guilty: readonly Address[]; readonly reward: Address } | { readonly refused: string };
}

export function evidenceVectors() {
  const vectors = reports().map((evidence): EvidenceVector => {
    const { call, offence, slasher } = encodeEvidence(evidence);
    const verdict = judgeFlat(decodeCall(call), context);
    return {
      offence, number: offenceNumber[offence], slasher, call,
      verdict: verdict.kind === 'guilty' ? { guilty: verdict.nodes, reward: verdict.reward } : { refused: verdict.error },
    };
  });
  return {
    about: 'reports, the chain they meet and the verdicts; docs/contracts/evidence.md has the format',
    chain: {
      chainId: 31_337, verifyingContract: place.world.domain.verifyingContract, now: Number(NOW), evidenceWindowS: 1_209_600, absolutionS: 86_400,
      group, epoch: 1, roster, status: 'the epoch lasts; every member is active and was never convicted',
    },
    keys: members.map(({ key }) => hexOf(key)),
    vectors,
  };
}

export const readVectors = (): ReturnType<typeof evidenceVectors> => JSON.parse(readFileSync(file, 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, `${JSON.stringify(evidenceVectors(), null, 1)}\n`);
