import { digestOf, type Domain, type StructName, type StructValue } from '../codec/index.ts';
import { recoverSigner } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { transactionOf } from '../rows/index.ts';
import { Remembered, type Address, type Command, type Signature } from '../types/index.ts';

/** How signatures are checked; the simulator brings a cheap one. */
export interface Verifier {
  signature<N extends StructName>(name: N, value: StructValue<N>, signature: Signature, signer: Address): boolean;
  /** The client's signature and everything about a command that needs no state. */
  command(command: Command): boolean;
}

/**
 * Real signatures under a domain, each checked once (consensus §5, 31): a vote is met again inside a certificate, a
 * certificate inside the next proposal.
 */
export function verifierOf(domain: Domain): Verifier {
  const signers = new Remembered<string, Address | 'nobody'>(limits.signaturesRemembered);
  return {
    signature(name, value, signature, signer) {
      const digest = digestOf(domain, name, value);
      const key = digest + signature;
      let found = signers.get(key);
      if (found === undefined) signers.set(key, (found = recoverSigner(digest, signature) ?? 'nobody'));
      return found === signer;
    },
    command: (command) => transactionOf(domain, command) !== 'invalid',
  };
}
