import { defineFaults } from '../errors/index.ts';

export const evidenceFaults = defineFaults('EVIDENCE', {
  inconsistent: ['the statements are not about one position of one group', 'bring two statements of the same group, epoch and position'],
  notPackable: ['a value does not fit its place in the evidence', 'check the proof; docs/contracts/evidence.md has the widths'],
  badSignature: ['a signature is not 65 bytes with low s and v 27 or 28', 'bring the signature as the node sent it'],
  malformed: ['the bytes are not evidence in the documented format', 'compare them with docs/contracts/evidence.md'],
});
