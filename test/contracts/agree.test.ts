import { expect } from 'chai';
import { AbiCoder, type Contract } from 'ethers';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { structHash, structs, type StructName } from '../../protocol/codec/index.ts';
import { merkleTree, recoverSigner, sha256, signDigest } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { createTree, rootOfProof, verifyProof, type Leaf, type ProofStep, type TreeProof } from '../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type Digest, type Hash32, type Hex, type Path, type Signature } from '../../protocol/types/index.ts';
import { packPath, packProof } from './packed.ts';
import { compactOf, ethers, keyOf } from './world.ts';

/** Generated vectors of each kind; with the drain's 4,000 (availability.test.ts) they are more than 20,000. */
const COUNTS = { structs: 100, trees: 80, proofsPerTree: 25, bent: 12, lists: 128, signatures: 1_000 } as const;
const PER_CALL = 100;

/** The same numbers in every run: the n-th is a hash of n. */
class Numbers {
  private at = 0;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  bytes(length: number): Uint8Array {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () => sha256(new TextEncoder().encode(`${this.name} ${this.at++}`)));
    return concatBytes(...blocks).subarray(0, length);
  }

  below(most: number): number {
    return Number(BigInt(hexOf(this.bytes(6))) % BigInt(most));
  }

  word(): Hash32 {
    return hexOf(this.bytes(32)) as Hash32;
  }
}

describe('TypeScript and Solidity agree on generated vectors', () => {
  let batch: string;
  let libraries: Contract;
  let tried = 0;

  before(async () => {
    await installNativeCrypto();
    batch = await (await ethers.deployContract('BatchHarness')).getAddress();
    libraries = (await ethers.deployContract('LibraryHarness')) as unknown as Contract;
  });

  /** The words that the contract returned for each argument list; undefined where it reverted. */
  async function outcomes(contract: Contract, method: string, calls: readonly (readonly unknown[])[]): Promise<(readonly Hash32[] | undefined)[]> {
    const target = bytesOf((await contract.getAddress()).toLowerCase() as Hex);
    const found: (readonly Hash32[] | undefined)[] = [];
    for (let i = 0; i < calls.length; i += PER_CALL) {
      const packed = calls.slice(i, i + PER_CALL).flatMap((args) => {
        const call = bytesOf(contract.interface.encodeFunctionData(method, args) as Hex);
        return [uintBytes(call.length, 4), call];
      });
      found.push(...outcomesIn((await ethers.provider.call({ to: batch, data: hexOf(concatBytes(target, ...packed)) })) as Hex));
    }
    tried += calls.length;
    return found;
  }

  it('hashes of signed structs', async () => {
    const contract = (await ethers.deployContract('HashHarness')) as unknown as Contract;
    const numbers = new Numbers('structs');
    const coder = AbiCoder.defaultAbiCoder();
    for (const name of Object.keys(structs) as StructName[]) {
      const fields = structs[name] as readonly (readonly [string, string])[];
      const types = fields.map(([, type]) => type);
      const values = Array.from({ length: COUNTS.structs }, () => Object.fromEntries(fields.map(([field, type]) => [field, fieldOf(type, numbers)])));
      const found = await outcomes(contract, 'structHash', values.map((value) => [name, coder.encode(types, fields.map(([field]) => value[field]))]));
      expect(found.map((result) => result?.[0]), name).to.deep.equal(values.map((value) => structHash(name, value as never)));
    }
  });

  it('proofs of the state tree: presence, absence, ranks and counts', async () => {
    const numbers = new Numbers('trees');
    const questions = Array.from({ length: COUNTS.trees }, () => treeQuestions(numbers)).flat();
    const walks = await outcomes(libraries, 'walk', questions.map(({ proof }) => [proof.terminal.path, packProof(proof)]));
    const absent = questions.filter(({ path, proof }) => path !== proof.terminal.path);
    const ranks = await outcomes(libraries, 'excluded', absent.map(({ path, proof }) => [path, proof.terminal.path, packProof(proof)]));
    const rankOf = new Map(absent.map((question, i) => [question, ranks[i] === undefined ? undefined : BigInt(ranks[i][0] as Hash32)]));
    questions.forEach((question, i) => {
      const truth = verifyProof(question.root, question.path, question.proof);
      const walked = walkedIn(walks[i] as readonly Hash32[]);
      const rank = truth.kind === 'present' ? walked.rank : rankOf.get(question);
      expect([walked.root, rank, walked.count], question.path).to.deep.equal([question.root, truth.rank, truth.count]);
    });
  });

  it('bent proofs lead both to the same other root, or neither anywhere', async () => {
    const numbers = new Numbers('bent');
    const bent = Array.from({ length: COUNTS.trees }, () => treeQuestions(numbers).slice(0, COUNTS.bent).map((question) => bend(question, numbers))).flat();
    const walks = await outcomes(libraries, 'walk', bent.map(({ proof }) => [proof.terminal.path, packProof(proof)]));
    const exits = await outcomes(libraries, 'excluded', bent.map(({ path, proof }) => [path, proof.terminal.path, packProof(proof)]));
    let refused = 0;
    bent.forEach(({ path, proof }, i) => {
      const said = orRefused(() => rootOfProof(path, proof));
      expect([walks[i]?.[0], exits[i] !== undefined], `${path} ${packProof(proof)}`).to.deep.equal([said?.root, said?.excludes === true]);
      if (said === undefined) refused += 1;
    });
    expect(refused).to.be.within(bent.length / 20, bent.length * 19 / 20); // both kinds were met
  });

  it('paths of batch trees', async () => {
    const numbers = new Numbers('lists');
    const paths = Array.from({ length: COUNTS.lists }, (_, i) => {
      const leaves = Array.from({ length: i + 1 }, () => numbers.bytes(32));
      const tree = merkleTree(leaves);
      return leaves.map((leaf, index) => ({ root: tree.root, leaf: sha256(concatBytes(Uint8Array.of(0), leaf)), index, steps: tree.pathOf(index) }));
    }).flat();
    const found = await outcomes(libraries, 'rootFrom', paths.map(({ leaf, index, steps }) => [hexOf(leaf), index, packPath(steps)]));
    expect(found.map((result) => result?.[0])).to.deep.equal(paths.map(({ root }) => root));
  });

  it('signatures in both forms, and with one bit changed', async () => {
    const numbers = new Numbers('signatures');
    const cases = Array.from({ length: COUNTS.signatures }, (_, i) => {
      const digest = numbers.word() as string as Digest;
      const signature = signDigest(digest, keyOf(i % 20));
      return [[digest, signature], [digest, flipped(signature, numbers.below(520))]] as const;
    }).flat();
    const whole = await outcomes(libraries, 'recover', cases);
    expect(whole.map((result) => `0x${result?.[0]?.slice(26)}`)).to.deep.equal(
      cases.map(([digest, signature]) => recoverSigner(digest, signature as Signature) ?? ethers.ZeroAddress));
    const honest = cases.filter((_, i) => i % 2 === 0);
    const short = await outcomes(libraries, 'recover', honest.map(([digest, signature]) => [digest, ethers.concat(compactOf(signature as Signature))]));
    expect(short.map((result) => result?.[0])).to.deep.equal(whole.filter((_, i) => i % 2 === 0).map((result) => result?.[0]));
  });

  after(() => expect(tried).to.be.greaterThan(16_000));
});

/** What BatchHarness wrote. */
function* outcomesIn(outcomes: Hex): Generator<readonly Hash32[] | undefined> {
  for (let at = 2; at < outcomes.length;) {
    const result = outcomes.slice(at + 10, at + 10 + 2 * parseInt(outcomes.slice(at + 2, at + 10), 16));
    yield outcomes.slice(at, at + 2) === '01' ? wordsOf(result) : undefined;
    at += 10 + result.length;
  }
}

const wordsOf = (result: string): readonly Hash32[] =>
  Array.from({ length: result.length / 64 }, (_, i) => `0x${result.slice(64 * i, 64 * (i + 1))}` as Hash32);

/** A PrefixTree.Result: root, path, rowHash, depths, rank, count, next. */
const walkedIn = (words: readonly Hash32[]): { root: Hash32; rank: bigint; count: bigint } =>
  ({ root: words[0] as Hash32, rank: BigInt(words[4] as Hash32), count: BigInt(words[5] as Hash32) });

/** All zero, all ones, then noise. */
function fieldOf(type: string, numbers: Numbers): Hex | bigint | number {
  const width = type === 'bytes32' ? 32 : type === 'address' ? 20 : Number(type.slice(4)) / 8;
  const extreme = numbers.below(8);
  const bytes = extreme === 0 ? new Uint8Array(width) : extreme === 1 ? new Uint8Array(width).fill(255) : numbers.bytes(width);
  if (!type.startsWith('uint')) return hexOf(bytes);
  return type === 'uint32' ? Number(hexOf(bytes)) : BigInt(hexOf(bytes));
}

interface Question {
  readonly root: Hash32;
  readonly path: Path;
  readonly proof: TreeProof & { readonly terminal: Leaf };
}

/** A tree of up to 60 leaves whose paths share long prefixes, and questions about leaves and about paths beside them. */
function treeQuestions(numbers: Numbers): Question[] {
  const paths = new Set(Array.from({ length: 1 + numbers.below(60) }, () => crowded(numbers)));
  const tree = createTree();
  const leaves = [...paths].map((path) => ({ path, rowHash: numbers.word() }));
  const root = tree.build(leaves);
  return Array.from({ length: COUNTS.proofsPerTree }, (_, i) => {
    const path = i % 2 === 0 ? (leaves[numbers.below(leaves.length)] as Leaf).path : crowded(numbers);
    return { root: root.hash, path, proof: tree.prove(root, path) as Question['proof'] };
  });
}

/** One bit somewhere, and a few low bits. */
function crowded(numbers: Numbers): Path {
  return `0x${((1n << BigInt(255 - numbers.below(60))) | BigInt(numbers.below(8))).toString(16).padStart(64, '0')}` as Path;
}

/** One thing changed: a depth, a count, a sibling, the row hash, the order of steps, a step too few. */
function bend({ root, path, proof }: Question, numbers: Numbers): Question {
  const steps = proof.steps.map((step) => ({ ...step }));
  const step = steps[numbers.below(Math.max(1, steps.length))];
  const changes: readonly ((one: { -readonly [K in keyof ProofStep]: ProofStep[K] }) => void)[] = [
    (one) => { one.depth = numbers.below(256); },
    (one) => { one.siblingCount = BigInt(numbers.below(4)); },
    (one) => { one.sibling = numbers.word(); },
    () => { steps.reverse(); },
    () => { steps.pop(); },
  ];
  if (step !== undefined) (changes[numbers.below(changes.length)] as (one: typeof step) => void)(step);
  const rowHash = step === undefined ? `0x${'00'.repeat(32)}` as Hash32 : proof.terminal.rowHash;
  return { root, path, proof: { terminal: { ...proof.terminal, rowHash }, steps } };
}

function orRefused<T>(check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    return undefined;
  }
}

function flipped(signature: Signature, bit: number): Hex {
  const bytes = Uint8Array.from(bytesOf(signature));
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  return hexOf(bytes);
}
