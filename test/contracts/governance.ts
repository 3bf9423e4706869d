import { type Contract, type Signer } from 'ethers';
import { deployed, ethers, helpers, now, send, type World } from './world.ts';

/** A network whose vault belongs to the authority, as on every real chain. */
export const governed = (): Promise<World> => deployed({ vaultAdmin: 'authority' });

export async function impersonate(contract: Contract): Promise<Signer> {
  const address = await contract.getAddress();
  await helpers.impersonateAccount(address);
  await helpers.setBalance(address, 10n ** 20n);
  return ethers.getSigner(address);
}

export interface Act {
  readonly target: Contract;
  readonly method: string;
  readonly args: readonly unknown[];
}

export const calldataOf = ({ target, method, args }: Act): string => target.interface.encodeFunctionData(method, args);

/** Schedules an act of the governor; resolves with the first second at which it may be carried out. */
export async function schedule(world: World, act: Act): Promise<bigint> {
  const governor = await impersonate(world.c.PintGovernor);
  const target = await act.target.getAddress();
  await send(world.c.Authority, governor, 'schedule', target, calldataOf(act), 0);
  const id = await world.c.Authority.getFunction('hashOperation')(await governor.getAddress(), target, calldataOf(act));
  return world.c.Authority.getFunction('getSchedule')(id) as Promise<bigint>;
}

/** Carries out a scheduled act, or one that needs no wait. */
export async function execute(world: World, act: Act) {
  const governor = await impersonate(world.c.PintGovernor);
  return send(world.c.Authority, governor, 'execute', await act.target.getAddress(), calldataOf(act));
}

/** Schedule, wait, execute. */
export async function enact(world: World, act: Act) {
  await helpers.time.increaseTo(await schedule(world, act));
  return execute(world, act);
}

/** Seconds between now and the earliest execution. */
export async function waitOf(world: World, act: Act): Promise<bigint> {
  const at = await schedule(world, act);
  return at - (await now());
}
