import { verifyStruct, type Domain, type StructName, type StructValue } from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { decodeTransaction, verifyTransaction } from '../rows/index.ts';
import type { Address, Command, Signature } from '../types/index.ts';

/** How signatures are checked; the simulator brings a cheap one. */
export interface Verifier {
  signature<N extends StructName>(name: N, value: StructValue<N>, signature: Signature, signer: Address): boolean;
  /** The client's signature and everything about a command that needs no state. */
  command(command: Command): boolean;
}

/** Real signatures under a domain, each command checked once (consensus §5, 31). */
export function verifierOf(domain: Domain): Verifier {
  const commands = new Map<string, boolean>();
  return {
    signature: (name, value, signature, signer) => verifyStruct(domain, name, value, signature, signer),
    command({ bytes }) {
      const key = sha256Hex(bytes);
      const before = commands.get(key);
      if (before !== undefined) return before;
      const valid = verifyTransaction(domain, decodeTransaction(bytes), bytes.length) === 'valid';
      commands.set(key, valid);
      if (commands.size > limits.commandsVerified) for (const oldest of commands.keys()) {
        commands.delete(oldest);
        break;
      }
      return valid;
    },
  };
}
