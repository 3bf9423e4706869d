import type { StructValue } from '../codec/index.ts';
import type { MerkleStep } from '../crypto/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import type { RowProof } from '../rows/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import type { Address, Hash32, Signature } from '../types/index.ts';

export interface SignedStatement {
  readonly node: Address;
  readonly statement: StructValue<'Statement'>;
  readonly signature: Signature;
}

interface SignedAnswer {
  readonly node: Address;
  readonly answer: StructValue<'Answer'>;
  readonly signature: Signature;
}

/** One root of a signed list, with its path to the list's own root. */
interface ListedRoot {
  readonly value: StructValue<'RootList'>;
  readonly signature: Signature;
  readonly height: bigint;
  readonly stateRoot: Hash32;
  readonly path: readonly MerkleStep[];
}

/**
 * A signed answer that cannot be true, with everything a contract needs to see it (P-6.1-cpoq; contracts
 * "FalseAnswer"). 'own-root': the row hash contradicts the state root that the node signed beside it. 'certificate':
 * that state root contradicts the certified one. 'rank': it is about another row than the one at the rank that its
 * request repeats. 'contradiction': two nodes signed different results of
 * one question at one snapshot; at least one lies, which a committee decides by running it again. 'forged-row': q replicas
 * certified a row that its named writer never signed; only a whole colluding group can (P-6.1-cpoq). 'history': a signed
 * list of roots has another root for a height than its certificate (Vidigueira §4.3.6).
 */
export type Lie =
  | (SignedAnswer & { readonly kind: 'own-root'; readonly proof: TreeProof; readonly provenance: RowProof | null })
  | (SignedAnswer & { readonly kind: 'certificate'; readonly certified: CertifiedCheckpoint })
  | (SignedAnswer & { readonly kind: 'rank'; readonly proof: TreeProof; readonly request: Hash32; readonly rank: bigint })
  | (SignedAnswer & {
      readonly kind: 'forged-row'; readonly certified: CertifiedCheckpoint; readonly proof: TreeProof; readonly provenance: RowProof;
    })
  | { readonly kind: 'history'; readonly node: Address; readonly root: ListedRoot; readonly certified: CertifiedCheckpoint }
  | { readonly kind: 'contradiction'; readonly statements: readonly [SignedStatement, SignedStatement] };
