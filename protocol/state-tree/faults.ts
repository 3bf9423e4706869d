import { defineFaults } from '../errors/index.ts';

export const treeFaults = defineFaults('TREE', {
  rowHash: ['a row hash ends in 22 zero bytes, as only the inner nodes of the tree do', 'send the SHA-256 row hash of a row'],
  changes: ['packed changes are not a whole number of 64-byte records', 'pack path ‖ row hash per change'],
  rootReleased: ['the tree version was released', 'keep the root until its last reader is done'],
  foreignRoot: ['the root belongs to another tree', 'use the tree that made the root'],
  rankOutOfRange: ['the tree has no leaf of this rank', 'ask for a rank below the count'],
  rangeReversed: ['the range ends before it starts', 'swap the bounds'],
  limit: ['the limit of a range is not a positive whole number within the bounds', 'ask for fewer rows at a time'],
  tooManySteps: ['the proof has more steps than a path has bits', 'ask another replica'],
  badDepth: ['a branching depth is no bit of a path', 'ask another replica'],
  depthOrder: ['the branching depths do not fall strictly from the leaf to the root', 'ask another replica'],
  badCount: ['a subtree count is below one or beyond 64 bits', 'ask another replica'],
  wrongSide: ['a sibling stands on the side that the leaf itself is on', 'ask another replica'],
  wrongRoot: ['the proof does not lead to the root', 'ask another replica'],
  notEmpty: ['the proof claims an empty tree under a root that is not empty', 'ask another replica'],
  absenceUnproven: ['the key parts from the proven leaf at a branch, so it may exist beyond it', 'ask another replica'],
  wrongRank: ['the proof is about a leaf of another rank', 'ask another replica'],
  leafOrder: ['the leaves of a range are not strictly ascending', 'ask another replica'],
  outsideRange: ['a leaf of the answer lies outside the range, or a boundary leaf inside it', 'ask another replica'],
  boundaryMissing: ['the answer has no boundary leaf where the tree goes on', 'ask another replica'],
  noProgress: ['the answer is incomplete and has no leaf', 'ask another replica'],
});
