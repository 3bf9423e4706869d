import { expect } from 'chai';
import { AbiCoder, type Contract } from 'ethers';
import { abis, contractNames, type ContractName } from '../../contracts/index.ts';
import { structs, type StructName } from '../../protocol/codec/index.ts';
import { encodeEvidence, isLesser, slasherOf, type Evidence } from '../../protocol/evidence/index.ts';
import { bytesOf, type Address, type Hex } from '../../protocol/types/index.ts';
import { beneficiary, guiltyCases, querier } from './all-cases.ts';
import { doubleBlockVote, falseAnswer, type Place } from './cases.ts';
import { both, fresh, submit } from './judges.ts';
import { addNode, createCluster, DAY, ethers, helpers, keyOf, now, PINT, possession, provider, send, sign } from './world.ts';

/* One test per row of docs/contracts/attacks.md that no other file's tests are about. */

const stakes = ({ world, group }: Place): Promise<bigint[]> =>
  Promise.all(group.roster.map(async (node) => {
    const { active, pending } = await world.c.StakeVault.getFunction('accountOf')(node);
    return (active as bigint) + (pending as bigint);
  }));

/** An account that acts for a slasher. */
async function slasherOfWorld({ world }: Place) {
  const address = await world.c.SlasherConsensus.getAddress();
  await helpers.impersonateAccount(address);
  await helpers.setBalance(address, 10n ** 20n);
  return ethers.getSigner(address);
}

describe('known attacks: stake', () => {
  it('rounding to zero, over-slash (EigenLayer, Chainlink): every slash of a part takes something, none takes more than there is', async () => {
    const place = await fresh();
    const { StakeVault } = place.world.c;
    const slasher = await slasherOfWorld(place);
    const node = place.group.roster[0];
    const nobody = [ethers.ZeroAddress, 0, ethers.ZeroAddress, 0, ethers.ZeroHash];
    let before = (await stakes(place))[0] as bigint;
    for (const bps of [1, 9_999, 9_999, 9_999, 9_999, 9_999, 10_000, 1]) {
      await send(StakeVault, slasher, 'slash', [node, bps, 1, 1, ...nobody]);
      const after = (await stakes(place))[0] as bigint;
      expect(after, `${bps} of ${before}`).to.be.at.most(before - (before * BigInt(bps)) / 10_000n).and.at.least(0n);
      if (before > 0n) expect(after).to.be.lessThan(before);
      before = after;
    }
    expect(before).to.equal(0n);
  });

  it('share or pool inflation (EigenLayer, Trust M-2): PINT sent to the vault is nobody\'s stake, and small deposits count whole', async () => {
    const place = await fresh();
    const { StakeVault, PintToken } = place.world.c;
    const before = await stakes(place);
    await send(PintToken, place.world.admin, 'transfer', await StakeVault.getAddress(), 1_000_000n * PINT);
    expect(await stakes(place)).to.deep.equal(before);
    const small = await addNode(place.world, 40, place.world.others[7]!, { stake: 10n ** 9n, gib: 0 });
    expect((await StakeVault.getFunction('accountOf')(small.address)).active).to.equal(10n ** 9n);
  });

  it('self-slash for profit, instant exit (Graph L-18): convicting oneself loses most of the stake and brings the rest no sooner than unbonding', async () => {
    const place = await fresh();
    const { world, group } = place;
    const owner = group.members[0]!.owner;
    const own = (await owner.getAddress()).toLowerCase() as Address;
    const before = (await stakes(place))[0] as bigint;
    await both(place, doubleBlockVote(place, 0, own));
    const convictedAt = await now();
    await helpers.time.increase(601);
    await send(world.c.StakeVault, owner, 'shareOut', group.roster[0], [own, before / 20n, group.group, ethers.ZeroAddress, before / 10n]);
    const credit = await world.c.StakeVault.getFunction('creditOf')(own);
    expect(credit.amount).to.be.at.most((before * 3n) / 10n);
    expect(credit.vestAt).to.be.at.least(convictedAt + 22n * DAY);
    await expect(send(world.c.StakeVault, owner, 'claimCredit', own)).to.be.revertedWithCustomError(world.c.StakeVault, 'StillLocked');
    expect((await stakes(place))[0]).to.equal(before / 2n);
  });
});

describe('known attacks: evidence', () => {
  it('replay of evidence, double slash (Graph follow-up): the same report of any kind convicts once', async () => {
    const count = guiltyCases(await fresh(), 0n).length;
    for (let i = 0; i < count; i++) {
      const place = await fresh();
      const { kind, call } = reportOf(guiltyCases(place, await now())[i] as Evidence);
      await submit(place, slasherOf[kind], call);
      const after = await stakes(place);
      expect(await submit(place, slasherOf[kind], call), kind).to.deep.equal({ error: isLesser(kind) ? 'Absolved' : 'AlreadyPunished' });
      expect(await stakes(place), kind).to.deep.equal(after);
    }
  });

  it('fault id too coarse (Graph follow-up): the same lie told again after its absolution convicts again', async () => {
    const place = await fresh();
    const lie = async (): Promise<string> => (await both(place, falseAnswer(place, 1, 'present', querier, await now()))).kind;
    expect(await lie()).to.equal('guilty');
    await helpers.time.increase(DAY + 1n);
    expect(await lie()).to.equal('guilty');
    expect((await stakes(place))[1]).to.equal(1_440n * PINT);
  });

  it('griefing reporters (Trust M-7): a report needs no bond, no stake, no PINT, and a refused one costs its gas', async () => {
    const place = await fresh();
    const stranger = place.world.others[9]!;
    const { c } = place.world;
    expect(await c.PintToken.getFunction('balanceOf')(await stranger.getAddress())).to.equal(0n);
    const report = (evidence: Evidence): Promise<unknown> =>
      stranger.sendTransaction({ to: c.SlasherConsensus.target as string, data: encodeEvidence(evidence).call, value: 0n });
    await expect(report(doubleBlockVote(place, 0, beneficiary, ['x', 'x']))).to.be.revertedWithCustomError(c.SlasherConsensus, 'NotConflicting');
    await report(doubleBlockVote(place, 0, beneficiary));
    expect((await stakes(place))[0]).to.equal(1_000n * PINT);
  });

  it('EIP-712 gaps (Graph CR-01, M-15, L-08): no field of any struct can be swapped under a signature', async () => {
    const harness = (await ethers.deployContract('HashHarness')) as unknown as Contract;
    const coder = AbiCoder.defaultAbiCoder();
    for (const name of Object.keys(structs) as StructName[]) {
      const types = (structs[name] as readonly (readonly [string, string])[]).map(([, type]) => type);
      const words = types.map((type) => (type === 'address' ? beneficiary : type === 'bytes32' ? ethers.id('field') : 7n));
      const hashes = new Set<string>();
      for (let swapped = -1; swapped < types.length; swapped++) {
        const values = words.map((word, i) => (i === swapped ? other(types[i] as string) : word));
        hashes.add(await harness.getFunction('structHash')(name, coder.encode(types, values)));
      }
      expect(hashes.size, name).to.equal(types.length + 1);
    }
  });

  it('ERC-1271 for evidence: a contract wallet is no node and signs no voucher, whatever it answers', async () => {
    const { world } = await fresh();
    const { StakeVault, PaymentChannels } = world.c;
    const wallet = (await (await ethers.deployContract('YesWallet')).getAddress()).toLowerCase() as Address;
    const owner = world.others[8]!;
    const consent = possession(world, keyOf(70), await owner.getAddress(), wallet);
    await expect(send(StakeVault, owner, 'register', wallet, consent)).to.be.revertedWithCustomError(StakeVault, 'BadPossession');
    const payee = await world.watcher.getAddress();
    const channel = [await world.consumer.getAddress(), payee, ethers.ZeroAddress, wallet, ethers.ZeroHash] as const;
    await send(PaymentChannels, world.consumer, 'fund', channel, 100n, { value: 100n });
    const id = await PaymentChannels.getFunction('channelId')(channel);
    for (const signature of [sign(world, { key: keyOf(70) }, 'Voucher', { channel: id, cumulative: 50n }), '0x', `0x${'00'.repeat(65)}`]) {
      await expect(send(PaymentChannels, world.watcher, 'collect', channel, 50n, signature)).to.be.revertedWithCustomError(PaymentChannels, 'BadVoucher');
    }
  });
});

describe('known attacks: code', () => {
  it('unbounded loops (Chainlink, Swarm): what a caller can lengthen has a bound', async () => {
    const place = await fresh();
    const { c, consumer, watcher } = place.world;
    await expect(createCluster(place.world, 65, { salt: ethers.id('large') })).to.be.revertedWithCustomError(c.ClusterRegistry, 'BadReplicationFactor');
    const candidates = Array.from({ length: 65 }, (_, i) => ethers.toBeHex(i + 1, 20));
    await expect(send(c.ClusterRegistry, consumer, 'openDraw', place.group.cluster, 10, candidates)).to.be.revertedWithCustomError(c.ClusterRegistry, 'BadCandidates');
    await expect(send(c.StakeVotes, watcher, 'record', Array(65).fill(place.group.roster[0]))).to.be.revertedWithCustomError(c.StakeVotes, 'TooManyNodes');
    const claims = Array.from({ length: 51 }, () => [ethers.ZeroAddress, ethers.ZeroAddress, ethers.ZeroHash, 1n, ethers.ZeroHash, ethers.ZeroHash]);
    await expect(send(c.PaymentChannels, watcher, 'collectMany', ethers.ZeroAddress, ethers.ZeroAddress, claims))
      .to.be.revertedWithCustomError(c.PaymentChannels, 'BatchTooLong');
    expect(await submit(place, 'SlasherConsensus', withLargeRoster(place))).to.deep.equal({ error: 'UnknownRoster' });
  });

  it('proxy, storage mistakes (EigenLayer, CSM): no contract can be upgraded, initialized again, destroyed or made to run foreign code', async () => {
    const { world } = await fresh();
    for (const name of contractNames) {
      const methods = (abis[name] as readonly { readonly type: string; readonly name?: string }[]).filter(({ type }) => type === 'function');
      expect(methods.map((method) => method.name).filter((method) => /^(upgrade|initialize|implementation|proxi)/.test(method ?? '')), name).to.deep.equal([]);
      const code = bytesOf((await provider.request({ method: 'eth_getCode', params: [await world.c[name].getAddress(), 'latest'] })) as Hex);
      expect(opcodesOf(code).filter((opcode) => foreign.has(opcode)), name).to.deep.equal(callsItself.has(name) ? [DELEGATECALL] : []);
    }
  });
});

const DELEGATECALL = 0xf4;
/** With CALLCODE and SELFDESTRUCT. */
const foreign = new Set([0xf2, DELEGATECALL, 0xff]);
/** Only to `address(this)`: OpenZeppelin's `multicall`, and slashers that judge a report again. */
const callsItself = new Set<ContractName>(['Authority', 'SlasherConsensus', 'SlasherAnswers', 'SlasherCertificates']);

/** The instructions up to the metadata, without what PUSH carries. */
function opcodesOf(code: Uint8Array): number[] {
  const end = code.length - 2 - ((code.at(-2) as number) * 256 + (code.at(-1) as number));
  const opcodes: number[] = [];
  for (let at = 0; at < end; at++) {
    const opcode = code[at] as number;
    opcodes.push(opcode);
    if (opcode >= 0x60 && opcode <= 0x7f) at += opcode - 0x5f;
  }
  return opcodes;
}

const reportOf = (evidence: Evidence): { kind: Evidence['kind']; call: Hex } => ({ kind: evidence.kind, call: encodeEvidence(evidence).call });

const other = (type: string): unknown => (type === 'address' ? querier : type === 'bytes32' ? ethers.id('another') : 8n);

/** A report whose head names 65 members. */
function withLargeRoster(place: Place): Hex {
  const { c } = place.world;
  const head = `${place.group.group}${'0000000000000001'}4100${'11'.repeat(65 * 20)}`;
  return c.SlasherConsensus.interface.encodeFunctionData('reportDoubleBlockVote', [head, beneficiary]) as Hex;
}
