import { signStruct, type StructValue } from '../../protocol/codec/index.ts';
import { addressFrom, type Address, type Hex, type Signature } from '../../protocol/types/index.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** What a root says of a node; times in unix seconds. */
export type NodeCertificate = StructValue<'NodeCertificate'>;

/** Steps of the trust ladder (Picolo §4.5.2), by number. */
export const trustSteps = ['none', 'certified', 'staked', 'trusted', 'council'] as const;

/** Where a node stands on the ladder, and what it holds for it. */
export interface Standing {
  readonly step: (typeof trustSteps)[number];
  readonly certified: boolean;
  readonly issuer: Address;
  readonly certificate: bigint;
  /** Unix seconds. */
  readonly expiresAt: bigint;
  /** Unix seconds, zero without a promotion. */
  readonly promotedAt: bigint;
  /** Fees collected through the splitter, in wei of PINT. */
  readonly earnedWei: bigint;
  /** Stake that those fees still lock, in wei. */
  readonly feeStakeWei: bigint;
}

/** Signs a certificate as a root. */
export function signCertificate(network: Network, issuerKey: Uint8Array, certificate: NodeCertificate): Signature {
  return signStruct(network.domain, 'NodeCertificate', certificate, issuerKey);
}

/** Puts a certificate on chain; anybody may. Refused unless its signer is a root. */
export function anchorCertificate(network: Network, certificate: NodeCertificate, signature: Hex): Promise<Receipt> {
  return network.send('NodeRegistry', 'anchorCertificate', [certificate, signature]);
}

/** Withdraws a certificate of this wallet for ever. */
export function revokeCertificate(network: Network, number: bigint): Promise<Receipt> {
  return network.send('NodeRegistry', 'revokeCertificate', [number]);
}

/** Lifts a node to the third step; refused with the rule that it does not meet. */
export function promote(network: Network, node: Address): Promise<Receipt> {
  return network.send('NodeRegistry', 'promote', [node]);
}

/** Frees stake that old fees no longer lock; anybody may. */
export function releaseFees(network: Network, node: Address): Promise<Receipt> {
  return network.send('NodeRegistry', 'releaseFees', [node]);
}

export async function standingOf(network: Network, node: Address): Promise<Standing> {
  const at = await momentOf(network);
  const [record, step, certified, earnedWei, feeStakeWei] = (await Promise.all(
    ['certificateOf', 'trustOf', 'isCertified', 'earnedOf', 'feeStakeOf'].map((view) => at.read('NodeRegistry', view, node)),
  )) as [Record<string, bigint | string>, bigint, boolean, bigint, bigint];
  return {
    step: trustSteps[Number(step)] ?? 'none',
    certified,
    issuer: addressFrom(record['issuer']),
    certificate: record['number'] as bigint,
    expiresAt: record['expiresAt'] as bigint,
    promotedAt: record['promotedAt'] as bigint,
    earnedWei,
    feeStakeWei,
  };
}
