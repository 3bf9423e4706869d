import type { CommittedBlock } from '../../protocol/consensus/index.ts';
import { encode } from '../../protocol/codec/index.ts';
import { certifiedCheckpointC, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import type { AppliedBlock, AppliedEntry } from '../ports/index.ts';

/** A committed block as the ledger takes it: entries that leave no trace are left out. */
export function ledgerBlock(block: CommittedBlock): AppliedBlock {
  const entries: AppliedEntry[] = [];
  for (const { id, ts, command, outcome } of block.entries) {
    if (outcome !== 'skipped') entries.push({ entryId: id, ts, command, outcome });
  }
  const { epoch, height, blockHash, closeTs, encoded } = block;
  return { epoch, height, blockHash, closeTs, encoded, entries };
}

export function encodeCertified(certificate: CertifiedCheckpoint): Uint8Array {
  return encode(certifiedCheckpointC, certificate);
}
