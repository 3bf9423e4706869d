import { expect } from 'chai';
import type { Contract, Signer } from 'ethers';
import { packCell, packQuestion } from '../../protocol/evidence/index.ts';
import { sha256, sha256Hex } from '../../protocol/crypto/index.ts';
import { complaintOf, buyerKeyOf, hideKey, keyCommitOf, listingIdOf, pointOf, purchaseIdOf, termsWords, type Terms } from '../../protocol/market/index.ts';
import { packSigners } from '../../protocol/membership/index.ts';
import { encodeArgs, encodeResult, statementIdOf } from '../../protocol/oracle/index.ts';
import { addressFrom, bytesOf, concatBytes, hexOf, uintBytes, ZERO_ADDRESS, type DatabaseId, type Hex } from '../../protocol/types/index.ts';
import { certified, h, treeOf } from './cases.ts';
import { court, stage as furnished, statementOf } from './dispute-cases.ts';
import { checkpointOf, HOUR, packed, rosterAt, stage } from './oracle-cases.ts';
import { ethers, hash, now, send, sign } from './world.ts';

/** Part of a call, from the first byte after the selector. */
interface Part {
  readonly name: string;
  readonly from: number;
  readonly length: number;
}

interface Attempt {
  readonly contract: Contract;
  readonly from: Signer;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
}

async function accepts({ contract, from, value = 0n }: Attempt, data: string): Promise<boolean> {
  try {
    await ethers.provider.call({ to: await contract.getAddress(), from: await from.getAddress(), data, value });
    return true;
  } catch (error) {
    if (/reverted/.test((error as Error).message)) return false;
    throw error;
  }
}

/**
 * Changes every byte of a call in one bit, one at a time. Returns where the contract would still accept it, outside of
 * `free`: arguments that nobody signed, which the caller chooses.
 */
async function bentAccepted(attempt: Attempt, free: readonly Part[] = []): Promise<number[]> {
  const call = bytesOf(attempt.contract.interface.encodeFunctionData(attempt.method, attempt.args) as Hex);
  const accepted: number[] = [];
  for (let at = 4; at < call.length; at++) {
    const bent = call.slice();
    bent[at] = (bent[at] as number) ^ (1 << (at % 8));
    if (await accepts(attempt, hexOf(bent))) accepted.push(at - 4);
  }
  return accepted.filter((at) => !free.some(({ from, length }) => at >= from && at < from + length));
}

/** The zeros that fill the last word of a byte string whose first byte stands at `from`. */
const padding = (from: number, data: Hex): Part => {
  const length = bytesOf(data).length;
  return { name: 'padding', from: from + length, length: (32 - (length % 32)) % 32 };
};
const whole = (attempt: Attempt): Promise<boolean> => accepts(attempt, attempt.contract.interface.encodeFunctionData(attempt.method, attempt.args));

describe('no byte of a call to the courts and markets can be bent', () => {
  it('AvailabilityCourt: of a question only the path and the member are the asker\'s, of an answer nothing is the node\'s to choose', async () => {
    const { place, world } = await stage();
    const { root, leaves, tree } = treeOf(50);
    const [contract, node, path] = [world.c.AvailabilityCourt, place.group.members[1]!, leaves[7]!.path];
    const proof = certified(place, root.hash);
    const question = packQuestion(rosterAt(place), node.address, proof);
    const asked: Attempt = { contract, from: world.watcher, method: 'open', args: [path, question], value: 10n ** 15n };
    expect(await whole(asked)).to.equal(true);
    const free = [{ name: 'path', from: 0, length: 32 }, { name: 'member', from: 96 + 32, length: 1 }, padding(96, question)];
    expect(await bentAccepted(asked, free)).to.deep.equal([]);
    await send(contract, world.watcher, 'open', path, question, { value: 10n ** 15n });
    const answer = packCell(rosterAt(place), proof, path, tree.prove(root, path));
    const replied: Attempt = { contract, from: node.owner, method: 'respond', args: [place.group.group, node.address, answer] };
    expect(await whole(replied)).to.equal(true);
    expect(await bentAccepted(replied, [padding(128, answer)])).to.deep.equal([]);
  });

  it('CheckpointAnchor: nothing but what a quorum signed is anchored', async () => {
    const { place, world, anchors } = await stage();
    const certificate = packed(place, checkpointOf(place, h('root')));
    const attempt: Attempt = { contract: anchors, from: world.watcher, method: 'anchor', args: [place.group.group, certificate] };
    expect(await whole(attempt)).to.equal(true);
    expect(await bentAccepted(attempt, [padding(96, certificate)])).to.deep.equal([]);
  });

  it('QueryOracle: no other result, snapshot, payee or request is paid', async () => {
    const { place, world } = await stage();
    const contract = world.c.QueryOracle;
    const statement = statementIdOf(h('a database') as DatabaseId, 'SELECT 1');
    const [args, bytes] = [encodeArgs([10n]), encodeResult(['n'], [[42n]])];
    const [expiresAt, snapshot, payee] = [(await now()) + HOUR, 1_800_000_000_000n << 48n, addressFrom(`0x${'fe'.repeat(20)}`)];
    await send(contract, world.admin, 'register', place.group.group, statement);
    await send(contract, world.watcher, 'request', hash(1), place.group.group, statement, hexOf(args), 0n, expiresAt, 0, { value: 5_000n });
    const fields = [await world.watcher.getAddress(), hash(1), place.group.group, statement, sha256Hex(args), 0n, expiresAt, 0, 5_000n];
    const request = await contract.getFunction('requestId')(fields);
    const result = { group: place.group.group, epoch: 1n, request, statement, args: sha256Hex(args), snapshot, resultHash: sha256Hex(bytes), payee };
    const signatures = [0, 1, 2].map((replica) => ({ replica, signature: sign(world, place.group.members[replica]!, 'OracleResult', result) }));
    const certificate = hexOf(concatBytes(uintBytes(1n, 8), packSigners(rosterAt(place), signatures)));
    const attempt: Attempt = { contract, from: world.watcher, method: 'fulfil', args: [fields, snapshot, payee, hexOf(bytes), certificate] };
    expect(await whole(attempt)).to.equal(true);
    const resultAt = 13 * 32 + 32; // nine words of the request, two arguments, two offsets, the length
    const certificateAt = resultAt + 32 * Math.ceil(bytes.length / 32) + 32;
    expect(await bentAccepted(attempt, [padding(resultAt, hexOf(bytes)), padding(certificateAt, certificate)])).to.deep.equal([]);
  });

  it('DataMarket: a complaint proves one purchase by one secret, and none about a right key', async () => {
    const { world } = await stage();
    const [contract, provider, buyer] = [world.c.DataMarket, world.watcher, world.consumer];
    const [dataKey, providerSecret] = [bytesOf(h('the key of the data')), sha256(uintBytes(1, 4))];
    const terms: Terms = {
      provider: addressFrom(await provider.getAddress()), token: ZERO_ADDRESS, priceWei: 1_000n, bondWei: 400n, keyCommit: keyCommitOf(dataKey), policy: h('policy'),
      point: pointOf(providerSecret), salt: hash(1),
    };
    const listing = listingIdOf(31_337n, addressFrom(await contract.getAddress()), terms);
    await send(contract, provider, 'list', termsWords(terms), 1_000n, { value: 1_000n });
    for (const [key, convicts] of [[bytesOf(h('not the key')), true], [dataKey, false]] as const) {
      const secret = sha256(uintBytes(convicts ? 20 : 21, 4));
      const { x, y } = pointOf(secret);
      await send(contract, buyer, 'buy', termsWords(terms), x, y, 1_000n, { value: 1_000n });
      const purchase = purchaseIdOf(listing, buyerKeyOf(secret));
      await send(contract, provider, 'deliver', termsWords(terms), buyerKeyOf(secret), hideKey(key, providerSecret, pointOf(secret), purchase));
      const { secret: scalar, sharedX, sharedY } = complaintOf(secret, terms.point);
      const attempt: Attempt = { contract, from: buyer, method: 'complain', args: [termsWords(terms), scalar, sharedX, sharedY] };
      expect(await whole(attempt)).to.equal(convicts);
      expect(await bentAccepted(attempt)).to.deep.equal([]);
    }
  });

  it('DisputeCourt: nobody is taken before a committee for a statement that is not the one it signed', async () => {
    const place = await furnished();
    const statement = statementOf(place, { querier: await place.plaintiff.getAddress() });
    const signature = sign(place.world, place.accused, 'Statement', statement);
    const attempt: Attempt = { contract: court(place), from: place.plaintiff, method: 'openStatement', args: [Object.values(statement), signature, 'where it is shown'] };
    expect(await whole(attempt)).to.equal(true);
    const signatureAt = 11 * 32 + 32; // nine words of the statement, two offsets, the length
    const uri = [{ name: 'offset', from: 10 * 32, length: 32 }, { name: 'uri', from: signatureAt + 96, length: 64 }];
    expect(await bentAccepted(attempt, [padding(signatureAt, signature), ...uri])).to.deep.equal([]);
  });
});
