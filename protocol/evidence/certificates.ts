import { mustBeCertified, mustSign, refuseIf, type Case } from './case.ts';
import type { FlatOf } from './flat.ts';

/* SlasherCertificates: signatures under states that cannot both be the group's. Zero: no date. */
const UNDATED = 0n;

export function tryCheckpoint(flat: FlatOf<'FalseCheckpoint'>, open: Case): bigint {
  const { height, certified, stateRoot, detail, signature } = flat;
  mustBeCertified(open, height, certified);
  refuseIf(stateRoot === certified.stateRoot && detail === certified.detail, 'NotConflicting');
  mustSign(open, 'Checkpoint', { group: open.group, epoch: open.epoch, height, stateRoot, detail }, signature);
  return UNDATED;
}

export function tryCertificates({ height, first, second }: FlatOf<'ForkedCertificates'>, open: Case): bigint {
  mustBeCertified(open, height, first);
  mustBeCertified(open, height, second);
  refuseIf(first.stateRoot === second.stateRoot && first.detail === second.detail, 'NotConflicting');
  const signed = [first, second].every(({ signatures }) => signatures.some(({ index }) => open.roster[index] === open.accused));
  refuseIf(!signed, 'SignerMismatch');
  return UNDATED;
}
