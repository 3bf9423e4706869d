import { encodeEvidence, type EncodedEvidence, type Evidence, type Refutation } from '../protocol/evidence/index.ts';
import type { Lie } from '../protocol/query/index.ts';
import type { GroupId } from '../protocol/types/index.ts';
import type { Client } from './client.ts';

/**
 * The contract call that proves a lie, or undefined for those that a contract cannot judge alone (contradictions and forged rows go
 * to the committee with their signatures).
 */
export async function evidenceOf(client: Client, lie: Lie): Promise<EncodedEvidence | undefined> {
  if (lie.kind === 'contradiction' || lie.kind === 'forged-row') return undefined;
  const { group, epoch } = lie.kind === 'history' ? lie.root.value : lie.answer;
  const roster = await client.trust.roster(group as GroupId, epoch);
  const charge = { roster, culprit: roster.replicas.indexOf(lie.node) };
  if (lie.kind === 'history') {
    return encodeEvidence({ kind: 'FalseHistory', ...charge, list: lie.root, against: { kind: 'certificate', certified: lie.certified } });
  }
  const evidence: Evidence = {
    kind: 'FalseAnswer',
    ...charge,
    answer: { value: lie.answer, signature: lie.signature },
    against: refutationOf(lie),
  };
  return encodeEvidence(evidence);
}

function refutationOf(lie: Extract<Lie, { kind: 'own-root' | 'rank' | 'certificate' }>): Refutation {
  switch (lie.kind) {
    case 'own-root': return { kind: 'ownRoot', proof: lie.proof };
    case 'rank': return { kind: 'rank', request: lie.request, rank: lie.rank, proof: lie.proof };
    case 'certificate': return { kind: 'certificate', certified: lie.certified };
  }
}
