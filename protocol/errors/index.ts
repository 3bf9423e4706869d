/**
 * Two kinds of failure (ARCHITECTURE "Rules of the house").
 *
 * An expected fault is a `PicoloError`: a stable code, what was wrong, what to do about it, and the
 * facts. A broken invariant is an `InvariantError`: the process must stop before it signs anything.
 *
 * @example
 *   const faults = defineFaults('TREE', { badProof: ['the proof does not lead to the root', 'ask another replica'] });
 *   throw faults.badProof({ path });          // code TREE_BAD_PROOF
 */
export { PicoloError, defineFaults, isPicoloError, type FaultFacts, type FaultTable } from './fault.ts';
export { InvariantError, invariant, unreachable } from './invariant.ts';
