import type { CertifiedCheckpoint, Roster } from '../membership/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import { concatBytes, hexOf, type Address, type Hex, type Path } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import { certificate, walk } from './flat.ts';
import { account, counted, hash, sequence, small, wide } from './layout.ts';

/*
 * What AvailabilityCourt reads (docs/contracts/availability-court.md): a question shows that its height is
 * certified, an answer shows a cell under a certified root.
 */
const shown = sequence({ height: wide(8), stateRoot: hash, detail: hash, members: counted(account), signatures: certificate });
const present = sequence(walk);
const absent = sequence({ path: hash, ...walk });

/**
 * The argument `certified` of `AvailabilityCourt.open` against `node`'s signer.
 * @throws EVIDENCE_INCONSISTENT when the checkpoint is of another group or epoch, or the signer no member
 */
export function packQuestion(roster: Roster, signer: Address, certified: CertifiedCheckpoint): Hex {
  const index = roster.replicas.indexOf(signer);
  if (index < 0) throw evidenceFaults.inconsistent({ what: 'members', first: signer, second: roster.replicas.join(' ') });
  const out: Uint8Array[] = [];
  hash.write(roster.group, out);
  small(1).write(index, out);
  wide(8).write(roster.epoch, out);
  writeCertified(roster, certified, out);
  return hexOf(concatBytes(...out));
}

/**
 * The argument `answer` of `AvailabilityCourt.respond`: what the tree of the checkpoint has at `path`.
 * @throws EVIDENCE_INCONSISTENT
 */
export function packCell(roster: Roster, certified: CertifiedCheckpoint, path: Path, { terminal, steps }: TreeProof): Hex {
  const out: Uint8Array[] = [];
  writeCertified(roster, certified, out);
  if (terminal === null) {
    small(1).write(2, out);
  } else if (terminal.path === path) {
    small(1).write(0, out);
    present.write({ rowHash: terminal.rowHash, steps }, out);
  } else {
    small(1).write(1, out);
    absent.write({ path: terminal.path, rowHash: terminal.rowHash, steps }, out);
  }
  return hexOf(concatBytes(...out));
}

function writeCertified(roster: Roster, { checkpoint, signatures }: CertifiedCheckpoint, out: Uint8Array[]): void {
  const { group, epoch, height, stateRoot, detail } = checkpoint;
  if (group !== roster.group || epoch !== roster.epoch) {
    throw evidenceFaults.inconsistent({ what: 'group and epoch', first: `${group} ${epoch}`, second: `${roster.group} ${roster.epoch}` });
  }
  shown.write({
    height, stateRoot, detail, members: roster.replicas, signatures: signatures.map(({ replica, signature }) => ({ index: replica, signature })),
  }, out);
}
