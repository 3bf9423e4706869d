import { formatEther, type Contract } from 'ethers';
import { picolo as command } from '../../cli/devnet/commands.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { addressFrom, ZERO_ADDRESS } from '../../protocol/types/index.ts';
import { channelState, shareSlashed } from '../../sdk/operator/index.ts';
import { printTable, prove, type Step } from './story.ts';
import type { World } from './world.ts';

export const payStep: Step<World> = {
  name: 'The dapp stops paying and is cut off, pays and is served; its providers collect',
  async run(world, step) {
    const broke = await world.connect({ key: world.ownerKey, pay: false, urls: [world.provider(1).apiUrl] });
    const db = await broke.database(world.db.id);
    let served = 0;
    const refused = await (async () => {
      for (; served < 20_000; served++) {
        const error = await db.query('SELECT * FROM cities LIMIT 2000', [], { assurance: 'signed' }).then(() => undefined, (fault: unknown) => fault);
        if (error !== undefined) return error;
      }
      return undefined;
    })();
    prove(isPicoloError(refused) && refused.code === 'PAYMENT_REQUIRED', `service stops with a clear error (got ${String((refused as Error | undefined)?.message)})`);
    step.say(`after ${served} unpaid reads: ${refused.code}, due ${String(refused.facts['dueWei'])} wei, threshold ${String(refused.facts['thresholdWei'])} wei`);
    const paying = await world.connect({ key: world.ownerKey, urls: [world.provider(1).apiUrl] });
    const [row] = await (await paying.database(world.db.id)).query('SELECT count(*) AS n FROM cities', [], { assurance: 'signed' });
    step.say(`with a voucher over ${formatEther(paying.promisedWei)} ether it answers again: ${String(row?.['n'])} cities`);
    step.figure('cutOffAfterReads', served);
    step.figure('promisedWei', paying.promisedWei);

    for (const number of [1, 2, 4, 5]) {
      const { dir } = world.provider(number);
      const [collected] = await command<{ gasUsed?: string }[]>(['provider', 'collect', '--dir', dir]);
      if (collected?.gasUsed !== undefined) world.gas['collectVoucher'] ??= BigInt(collected.gasUsed);
    }
    const { claimedWei } = await channelState(world.network, world.cluster.channel);
    prove(claimedWei > 0n, 'vouchers became money');
    step.say(`four members collect: ${formatEther(claimedWei)} ether left the channel, a quarter to each (their gas aside)`);
    step.figure('collectedWei', claimedWei);
  },
};

export const closingStep: Step<World> = {
  name: 'Closing table',
  async run(world, step) {
    await shareSlashed(world.network);
    const { rows, sum } = await tokens(world);
    printTable('Where every PINT is', ['account', 'PINT'], rows.map(([name, wei]) => [name, formatEther(wei)]));
    prove(sum === 0n, 'accounts and burned tokens add up to the genesis supply');
    step.say('accounts, vault and burned tokens minus the genesis supply: 0');
    printTable('What it cost', ['operation', 'gas'], Object.entries(world.gas).map(([operation, gas]) => [operation, gas]));
    printTable('Who lost stake', ['node', 'because it was', 'PINT', 'found by'], await losses(world));
    step.figure('balances', Object.fromEntries(rows));
    step.figure('gas', world.gas);
    step.figure('sum', sum);
  },
};

async function losses({ network, providers, watcher }: World): Promise<string[][]> {
  const slashes = (await network.events('StakeVault', 'Slashed')) as unknown as { node: string; kind: bigint; amount: bigint; beneficiary: string }[];
  const silence = (await network.contract('AvailabilityCourt').getFunction('SILENCE')()) as bigint;
  const verdict = (await network.contract('DisputeCourt').getFunction('VERDICT')()) as bigint;
  const causes = new Map([[silence, 'silent'], [verdict, 'judged by others']]);
  const names = new Map([[addressFrom(watcher.address), 'the watcher'], [network.account, 'the owner'], ...providers.map(({ node, name }) => [node, name] as const)]);
  const nameOf = (address: string): string => names.get(addressFrom(address)) ?? address;
  return slashes.map(({ node, kind, amount, beneficiary }) => (
    [nameOf(node), causes.get(kind) ?? 'proven wrong', formatEther(amount), nameOf(beneficiary)]));
}

/** Genesis supply = everybody's balance + what was burned. */
async function tokens(world: World): Promise<{ rows: (readonly [string, bigint])[]; sum: bigint }> {
  const token: Contract = world.network.contract('PintToken');
  const balance = async (account: string): Promise<bigint> => (await token.getFunction('balanceOf')(account)) as bigint;
  const treasury = await (await world.network.provider.getSigner(0)).getAddress();
  const rows: (readonly [string, bigint])[] = [['treasury', await balance(treasury)], ['owner', await balance(world.owner.address)]];
  for (const { name, operator } of world.providers) rows.push([`${name} (operator)`, await balance(operator)]);
  rows.push(['stake vault', await balance(world.network.address('StakeVault'))]);
  rows.push(['access deposits', await balance(world.network.address('AccessDeposits'))]);
  rows.push(["jurors' seats", await balance(world.network.address('JurorSeats'))]);
  const supply = (await token.getFunction('totalSupply')()) as bigint;
  const burned = (await world.network.events('PintToken', 'Transfer', [null, ZERO_ADDRESS])).reduce((sum, event) => sum + (event['value'] as bigint), 0n);
  const genesis = await world.network.events('PintToken', 'Transfer', [ZERO_ADDRESS]);
  const minted = genesis.reduce((sum, event) => sum + (event['value'] as bigint), 0n);
  const held = rows.reduce((sum, [, wei]) => sum + wei, 0n);
  rows.push(['others', supply - held], ['burned', burned]);
  return { rows, sum: supply + burned - minted };
}
