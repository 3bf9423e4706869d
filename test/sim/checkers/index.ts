import { statementOf, type CommittedBlock, type SignedMessage } from '../../../protocol/consensus/index.ts';
import type { CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import { isSigned } from '../commands.ts';
import type { SimNode } from '../node.ts';
import { ChainChecker } from './chain.ts';
import { ClientChecker } from './clients.ts';
import { SignatureChecker } from './signatures.ts';

/** Reports a broken invariant; the run goes on, so that one seed can show everything it breaks. */
export type Violate = (invariant: string, what: string) => void;

/** All judges of a run. They see effects and signatures, never the core's state. */
export class Checkers {
  readonly chain: ChainChecker;
  readonly clients: ClientChecker;
  readonly signatures: SignatureChecker;
  private readonly checkpoints = new Map<bigint, string>();
  private readonly violate: Violate;

  constructor(violate: Violate) {
    this.violate = violate;
    this.chain = new ChainChecker(violate);
    this.clients = new ClientChecker(violate, this.chain);
    this.signatures = new SignatureChecker(violate);
  }

  signed(node: SimNode, message: SignedMessage): void {
    this.signatures.signed(node.index, node.honest, message, statementOf(message));
  }

  /** What an honest replica holds of a row must convince strangers: names do not cover signatures, so agreement alone does not say it. */
  provable(node: number, block: CommittedBlock): void {
    for (const { id, command } of block.entries) if (!isSigned(command)) this.violate('provable', `replica ${node} committed ${id} unsigned`);
  }

  checkpoint({ checkpoint }: CertifiedCheckpoint): void {
    const told = `${checkpoint.stateRoot}${checkpoint.detail}`;
    const before = this.checkpoints.get(checkpoint.height);
    if (before !== undefined && before !== told) this.violate('checkpoint', `two certified checkpoints at ${checkpoint.height}`);
    this.checkpoints.set(checkpoint.height, told);
  }

  get checkpointCount(): number {
    return this.checkpoints.size;
  }
}
