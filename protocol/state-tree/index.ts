/**
 * The state tree: a persistent Merkle prefix tree over 256-bit paths whose root a group signs
 * (architecture §3, Vidigueira §3). It proves that a row is there, that a key is absent, which rank a
 * leaf has, how many leaves lie in a key range, and that a range is complete; pruned trees prove many paths at once,
 * split a tree over machines and take up older proofs. The verifiers share no code with the tree; a process that
 * updates large trees installs the native crypto backend first.
 *
 *   leaf = H(path ‖ rowHash)      node = H( H(left ‖ right) ‖ uint16 depth ‖ uint64 count ‖ zeros )      empty = 0
 *
 * @example
 *   const tree = createTree();
 *   const before = tree.build(leaves);
 *   const after = tree.apply(before, [{ path, rowHash }, { path: other, rowHash: null }]);
 *   verifyProof(after.hash, path, tree.prove(after, path));   // { kind: 'present', rowHash, rank, count }
 *   tree.release(before);                                     // `after` stays as it is
 *   const next = tree.advance(after, changes);                // apply and release in one, in place where possible
 */
export type { Changes, Leaf, LeafChange, ProofStep, RangeAnswer, RangeProof, TreeProof } from './types.ts';
export { createTree, StateTree, type TreeRoot, type TreeStats } from './tree.ts';
export { rankOfLeaf, rootOfProof, verifyCount, verifyProof, verifyRank, type Membership } from './verify.ts';
export { verifyRange, type VerifiedRange } from './verify-range.ts';
export {
  combine, lookUp, prunedC, recover, rootOf, verifyPruned, type Finding, type Prefix, type Pruned,
} from './pruned.ts';
export { rangeProofC, treeProofC } from './codec.ts';
export { packEntry, packRange } from './pack.ts';
export { treeFaults } from './faults.ts';
