/** Payment channels with a payer who has PINT, and vouchers of one key. */
import type { Contract, Signer } from 'ethers';
import { signStruct } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import type { Hash32, Hex } from '../../protocol/types/index.ts';
import { deployed, ethers, hash, helpers, keyOf, PINT, send, type World } from './world.ts';

export const signer = keyOf(800);
export type Key = readonly [payer: string, payee: string, token: string, signer: string, salt: string];

export interface Stage {
  readonly world: World;
  readonly channels: Contract;
  readonly payer: Signer;
  readonly payee: Signer;
}

export async function build(): Promise<Stage> {
  const world = await deployed();
  await send(world.c.PintToken, world.admin, 'transfer', await world.consumer.getAddress(), 1_000n * PINT);
  await send(world.c.PintToken, world.consumer, 'approve', await world.c.PaymentChannels.getAddress(), ethers.MaxUint256);
  return { world, channels: world.c.PaymentChannels, payer: world.consumer, payee: world.watcher };
}
export const stage = (): Promise<Stage> => helpers.loadFixture(build);

export async function keyFor({ payer, payee }: Stage, token: string = ethers.ZeroAddress, salt = 0, to?: string): Promise<Key> {
  return [await payer.getAddress(), to ?? (await payee.getAddress()), token, addressOf(signer), hash(salt)];
}

export async function voucher({ world, channels }: { world: World; channels: Contract }, key: Key, cumulative: bigint, by = signer): Promise<Hex> {
  const channel = (await channels.getFunction('channelId')(key)) as Hash32;
  return signStruct(world.domain, 'Voucher', { channel, cumulative }, by);
}

export const recordOf = async (channels: Contract, key: Key) => channels.getFunction('channelOf')(await channels.getFunction('channelId')(key));
export const fundEther = (s: Stage, key: Key, amount: bigint) => send(s.channels, s.payer, 'fund', key, amount, { value: amount });
export const collect = async (s: Stage, key: Key, cumulative: bigint, by?: Uint8Array) =>
  send(s.channels, s.world.others[3]!, 'collect', key, cumulative, await voucher(s, key, cumulative, by));
