import { encodeEvidence, type EncodedEvidence, type Evidence } from '../protocol/evidence/index.ts';
import type { Lie } from '../protocol/query/index.ts';
import type { GroupId } from '../protocol/types/index.ts';
import type { Client } from './client.ts';

/**
 * The contract call that proves a lie, or undefined for those that a contract cannot judge alone (contradictions and forged rows go
 * to the committee with their signatures).
 */
export async function evidenceOf(client: Client, lie: Lie): Promise<EncodedEvidence | undefined> {
  if (lie.kind !== 'own-root' && lie.kind !== 'certificate') return undefined;
  const { group, epoch } = lie.answer;
  const roster = await client.trust.roster(group as GroupId, epoch);
  const evidence: Evidence = {
    kind: 'FalseAnswer',
    roster,
    culprit: roster.replicas.indexOf(lie.node),
    answer: { value: lie.answer, signature: lie.signature },
    against: lie.kind === 'own-root' ? { kind: 'ownRoot', proof: lie.proof } : { kind: 'certificate', certified: lie.certified },
  };
  return encodeEvidence(evidence);
}
