import { signStruct, verifyStruct, type Domain } from '../../protocol/codec/index.ts';
import type { Statement, Verifier } from '../../protocol/consensus/index.ts';
import type { Address, Command, Signature } from '../../protocol/types/index.ts';
import { isSigned } from './commands.ts';
import { fingerprint } from './random.ts';

/** Deterministic stand-in for secp256k1: a fingerprint that nobody in the run computes but the owner of the key. */
export class Signatures implements Verifier {
  /** Planted fault: a command whose signature held once is believed by its name. */
  trustNames = false;
  private readonly believed = new Set<string>();

  sign(signer: Address, statement: Statement): Signature {
    return fake(signer, statement.name, statement.value);
  }

  signature(name: string, value: unknown, signature: Signature, signer: Address): boolean {
    return signature === fake(signer, name, value);
  }

  command(command: Command): boolean {
    if (this.trustNames && this.believed.has(command.id)) return true;
    if (!isSigned(command)) return false;
    this.believed.add(command.id);
    return true;
  }
}

/** The real thing: EIP-712 digests and secp256k1, for a share of the runs. */
export class RealSignatures extends Signatures {
  private readonly keys: ReadonlyMap<Address, Uint8Array>;
  private readonly domain: Domain;
  private readonly made = new Map<string, Signature>();

  constructor(domain: Domain, keys: ReadonlyMap<Address, Uint8Array>) {
    super();
    this.domain = domain;
    this.keys = keys;
  }

  override sign(signer: Address, statement: Statement): Signature {
    const token = super.sign(signer, statement);
    let signature = this.made.get(token);
    if (signature === undefined) {
      signature = signStruct(this.domain, statement.name, statement.value as never, this.keys.get(signer) as Uint8Array);
      this.made.set(token, signature);
    }
    return signature;
  }

  override signature(name: string, value: unknown, signature: Signature, signer: Address): boolean {
    return verifyStruct(this.domain, name as 'FastVote', value as never, signature, signer);
  }
}

function fake(signer: Address, name: string, value: unknown): Signature {
  const fields = Object.values(value as Record<string, unknown>).map(String).join('|');
  const hash = fingerprint(`${signer}|${name}|${fields}`);
  return `0x${hash}${hash}${hash}${hash}1b` as Signature;
}
