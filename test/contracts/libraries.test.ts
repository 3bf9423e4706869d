import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { AbiCoder, TypedDataEncoder, type Contract } from 'ethers';
import { contractNames } from '../../contracts/index.ts';
import { structs, typeString, type StructName } from '../../protocol/codec/index.ts';
import { rootOfPath, sha256, signDigest, type MerkleStep } from '../../protocol/crypto/index.ts';
import { createTree, verifyProof, type TreeProof } from '../../protocol/state-tree/index.ts';
import {
  bytesOf, concatBytes, hexOf, quorumOf, uintBytes, ZERO_HASH, type Digest, type Hash32, type Hex, type Path, type Signature,
} from '../../protocol/types/index.ts';
import { bytecodeFile } from '../../scripts/compiled.ts';
import { abisFile, abisSource } from '../../scripts/generate-abis.ts';
import { bytecodeSource } from '../../scripts/generate-bytecode.ts';
import { harnessFile, harnessSource, hashesFile, hashesSource } from '../../scripts/generate-hashes.ts';
import { eip712Vectors, files, jsonOf, merkleVectors } from '../../scripts/vectors-eip712.ts';
import { h } from './cases.ts';
import { packPath, packProof, type RawProof } from './packed.ts';
import { syntheticProof } from './synthetic.ts';
import { compactOf, deployed, ethers, helpers, keyOf, packRoster } from './world.ts';

interface Eip712File {
  readonly domains: readonly { chainId: string; verifyingContract: string }[];
  readonly signer: string;
  readonly structs: readonly {
    name: StructName; type: string; typeHash: string;
    samples: readonly { value: Record<string, string | number>; structHash: string; digests: readonly string[]; signature: string }[];
  }[];
}
interface MerkleCase {
  readonly size: number;
  readonly root: string;
  readonly paths: readonly { index: number; leaf: Hex; steps: readonly MerkleStep[] }[];
}
interface TreeVectors {
  readonly trees: readonly { name: string; root: Hash32; proofs: readonly { path: Path; proof: RawProof; shows: Record<string, string> }[] }[];
  readonly refused: readonly { name: string; root: Hash32; path: Path; proof: RawProof; refusedBy: string }[];
}
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T;
const lib = (): Promise<Contract> => ethers.deployContract('LibraryHarness') as unknown as Promise<Contract>;
const harness = (): Promise<Contract> => helpers.loadFixture(lib);

describe('generated files are fresh', () => {
  it('PicoloHashes.sol is what protocol/codec/structs.ts says', () => {
    expect(readFileSync(hashesFile, 'utf8')).to.equal(hashesSource());
    expect(readFileSync(harnessFile, 'utf8')).to.equal(harnessSource());
  });

  it('contracts/generated/abis.ts is what the compiler says', () => {
    expect(readFileSync(abisFile, 'utf8')).to.equal(abisSource());
    expect(readFileSync(bytecodeFile, 'utf8') === bytecodeSource(), 'bytecode.json is what the compiler wrote').to.equal(true);
  });

  it('test/vectors/eip712.json and merkle.json are what the protocol says', () => {
    expect(readFileSync(files.eip712, 'utf8')).to.equal(jsonOf(eip712Vectors()));
    expect(readFileSync(files.merkle, 'utf8')).to.equal(jsonOf(merkleVectors()));
  });

  it('every contract fits the size limit of the chain', async () => {
    const { c } = await helpers.loadFixture(world);
    for (const name of contractNames) {
      const code = await ethers.provider.getCode(await c[name].getAddress());
      expect(code.length / 2 - 1, name).to.be.below(24_576);
    }
  });
});

const world = (): ReturnType<typeof deployed> => deployed();

describe('EIP-712: TypeScript, ethers and Solidity agree', () => {
  const file = read<Eip712File>('eip712');

  it('every struct is covered', () => {
    expect(file.structs.map(({ name }) => name)).to.deep.equal(Object.keys(structs));
  });

  it('struct hashes in Solidity', async () => {
    const contract = (await ethers.deployContract('HashHarness')) as unknown as Contract;
    const coder = AbiCoder.defaultAbiCoder();
    for (const { name, samples } of file.structs) {
      const fields = structs[name] as readonly (readonly [string, string])[];
      for (const { value, structHash } of samples) {
        const words = coder.encode(fields.map(([, type]) => type), fields.map(([field]) => value[field]));
        expect(await contract.getFunction('structHash')(name, words), name).to.equal(structHash);
      }
    }
  });

  it('digests in ethers, and the type string', () => {
    for (const { name, type, samples } of file.structs) {
      expect(typeString(name)).to.equal(type);
      const types = { [name]: (structs[name] as readonly (readonly [string, string])[]).map(([field, kind]) => ({ name: field, type: kind })) };
      file.domains.forEach((domain, i) => {
        for (const { value, digests } of samples) {
          const digest = TypedDataEncoder.hash({ name: 'Picolo', version: '1', ...domain, chainId: BigInt(domain.chainId) }, types, value);
          expect(digest, name).to.equal(digests[i]);
        }
      });
    }
  });

  it('digest and recovery in Solidity, 65 bytes and compact', async () => {
    const contract = await harness();
    const domain = file.domains[0]!; // the chain id of the test chain
    for (const { samples } of file.structs) {
      const { structHash, digests, signature } = samples[2]!;
      expect(await contract.getFunction('digest')(domain.verifyingContract, structHash)).to.equal(digests[0]);
      const compact = compactOf(signature as Signature).map((part) => part.slice(2)).join('');
      for (const form of [signature, `0x${compact}`]) {
        expect((await contract.getFunction('recover')(digests[0], form)).toLowerCase()).to.equal(file.signer);
      }
    }
  });
});

describe('SignatureLib', () => {
  const digest = h('digest') as Digest;
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

  it('the malleated twin, other v and other lengths recover to nobody', async () => {
    const contract = await harness();
    const signature = bytesOf(signDigest(digest, keyOf(5)));
    const recover = (bytes: Uint8Array): Promise<string> => contract.getFunction('recover')(digest, hexOf(bytes));
    const s = BigInt(hexOf(signature.subarray(32, 64)));
    const twin = concatBytes(signature.subarray(0, 32), uintBytes(order - s, 32), Uint8Array.of(signature[64] === 27 ? 28 : 27));
    const forms = [twin, signature.subarray(0, 63), concatBytes(signature, Uint8Array.of(0)), new Uint8Array(0), new Uint8Array(65), new Uint8Array(64)];
    for (const v of [0, 1, 26, 29, 255]) forms.push(concatBytes(signature.subarray(0, 64), Uint8Array.of(v)));
    for (const form of forms) expect(await recover(form)).to.equal(ethers.ZeroAddress);
    expect(await recover(signature)).not.to.equal(ethers.ZeroAddress);
  });
});

describe('BinaryMerkle: vectors', () => {
  const cases = read<readonly MerkleCase[]>('merkle');

  it('every path leads to the root, in both languages; a wrong index does not', async () => {
    const contract = await harness();
    for (const { root, paths, size } of cases) {
      for (const { index, leaf, steps } of paths) {
        expect(rootOfPath(bytesOf(leaf), steps)).to.equal(root);
        const leafHash = leaf.length === 66
          ? await contract.getFunction('leafOfWord')(leaf)
          : await contract.getFunction('leafOfItem')(leaf.slice(0, 66), `0x${leaf.slice(66, 130)}`, Number(`0x${leaf.slice(130)}`));
        expect(await contract.getFunction('rootFrom')(leafHash, index, packPath(steps)), `${size} ${index}`).to.equal(root);
        if (steps.length > 0) expect(await contract.getFunction('rootFrom')(leafHash, index ^ 1, packPath(steps))).not.to.equal(root);
        await expect(contract.getFunction('rootFrom')(leafHash, index + 2 ** steps.length, packPath(steps))).to.be.revertedWithCustomError(contract, 'BadIndex');
      }
    }
  });

  it('a path with a byte too few or too many is refused', async () => {
    const contract = await harness();
    const { steps } = cases[3]!.paths[1]!;
    const packed = packPath(steps);
    for (const wrong of [packed.slice(0, -2), `${packed}00`]) {
      await expect(contract.getFunction('rootFrom')(ZERO_HASH, 0, wrong)).to.be.revertedWithCustomError(contract, 'WrongLength');
    }
  });

  it('an entry of a tree that is deeper than any batch is refused', async () => {
    const contract = await harness();
    const packed = hexOf(concatBytes(Uint8Array.of(33), new Uint8Array(33 * 32)));
    await expect(contract.getFunction('rootFrom')(ZERO_HASH, 0, packed)).to.be.revertedWithCustomError(contract, 'BadIndex');
  });
});

describe('PrefixTree: vectors of the state tree', () => {
  const vectors = read<TreeVectors>('state-tree');

  it('T-3.2: every good proof shows the same in Solidity', async () => {
    const contract = await harness();
    let tried = 0;
    for (const { root, proofs, name } of vectors.trees) {
      for (const { path, proof, shows } of proofs) {
        if (proof.terminal === null) continue; // the empty tree has no proof to walk
        const result = await contract.getFunction('walk')(proof.terminal.path, packProof(proof));
        expect(result.root, name).to.equal(root);
        expect(result.count, name).to.equal(BigInt(shows['count'] as string));
        const rank = shows['kind'] === 'present' ? result.rank : await contract.getFunction('excluded')(path, proof.terminal.path, packProof(proof));
        expect(rank, `${name} ${path}`).to.equal(BigInt(shows['rank'] as string));
        tried++;
      }
    }
    expect(tried).to.be.greaterThan(20);
  });

  it('every bad proof is refused in Solidity', async () => {
    const contract = await harness();
    let tried = 0;
    for (const { name, root, path, proof } of vectors.refused) {
      if (proof.terminal === null || proof.steps.some((step) => step.depth > 255 || BigInt(step.siblingCount) >= 1n << 40n)) continue;
      expect(await shows(contract, root, path, proof), name).to.equal(false);
      tried++;
    }
    expect(tried).to.be.greaterThan(6);
  });

  it('proofs of random trees, with paths that share long prefixes', async () => {
    const contract = await harness();
    const bits = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 }));
    await fc.assert(fc.asyncProperty(fc.uniqueArray(bits, { minLength: 1, maxLength: 40 }), bits, async (keys, wanted) => {
      const leaves = keys.map((entry) => ({ path: clustered(entry), rowHash: h(`row ${entry.join()}`) }));
      const tree = createTree();
      const root = tree.build(leaves.filter((leaf, i) => leaves.findIndex((other) => other.path === leaf.path) === i));
      const path = clustered(wanted);
      const proof = tree.prove(root, path);
      const truth = verifyProof(root.hash, path, proof);
      const result = await contract.getFunction('walk')(proof.terminal!.path, packProof(proof));
      expect(result.root).to.equal(root.hash);
      const rank = truth.kind === 'present' ? result.rank : await contract.getFunction('excluded')(path, proof.terminal!.path, packProof(proof));
      expect([rank, result.count]).to.deep.equal([truth.rank, truth.count]);
    }), { numRuns: 60 });
  });

  it('a proof built by hand for a million rows', async () => {
    const contract = await harness();
    const { root, proof, rank } = syntheticProof(h('a path') as Path, h('a row'), 20);
    const result = await contract.getFunction('walk')(proof.terminal!.path, packProof(proof));
    expect([result.root, result.rank, result.count]).to.deep.equal([root, rank, 1n << 20n]);
    expect(verifyProof(root, proof.terminal!.path, proof as TreeProof)).to.deep.include({ kind: 'present', rank });
  });
});

/** Paths that share many bits: bit `at` of zero is set, and a few low bits differ. */
function clustered([at, low]: readonly [number, number]): Path {
  return `0x${((1n << BigInt(255 - at)) | BigInt(low)).toString(16).padStart(64, '0')}` as Path;
}

async function shows(contract: Contract, root: Hash32, path: Path, proof: RawProof): Promise<boolean> {
  try {
    const result = await contract.getFunction('walk')(proof.terminal!.path, packProof(proof));
    if (result.root !== root) return false;
    if (path === proof.terminal!.path) return true;
    await contract.getFunction('excluded')(path, proof.terminal!.path, packProof(proof));
    return true;
  } catch {
    return false;
  }
}

describe('Quorum', () => {
  it('n - f for every size, as the protocol counts', async () => {
    const contract = await harness();
    for (let size = 1; size <= 64; size++) expect(await contract.getFunction('quorum')(size)).to.equal(BigInt(quorumOf(size)));
  });

  it('a certificate of any quorum of the roster holds; bits beyond it, repeats and strangers do not', async () => {
    const contract = await harness();
    const digest = sha256(Uint8Array.of(1));
    const keys = Array.from({ length: 7 }, (_, i) => keyOf(i)).sort((a, b) => (address(a) < address(b) ? -1 : 1));
    const roster = packRoster(keys.map(address));
    const cert = (bits: bigint, signers: readonly number[]): Hex => hexOf(concatBytes(
      uintBytes(bits, 8),
      ...signers.map((i) => bytesOf(`0x${compactOf(signDigest(hexOf(digest) as Digest, keys[i]!)).map((part) => part.slice(2)).join('')}`)),
    ));
    const check = (bits: bigint, signers: readonly number[]): Promise<unknown> => contract.getFunction('checkQuorum')(digest, roster, cert(bits, signers));
    await check(0b1111010n, [1, 3, 4, 5, 6]);
    await check(0b0011111n, [0, 1, 2, 3, 4]);
    await expect(check(0b1111n, [0, 1, 2, 3])).to.be.revertedWithCustomError(contract, 'NoQuorum');
    await expect(check(0b11111n, [0, 0, 0, 0, 0])).to.be.revertedWithCustomError(contract, 'NotSigned');
    await expect(check(0b10001111n, [0, 1, 2, 3, 4])).to.be.revertedWithCustomError(contract, 'NotSigned');
    await expect(check(0b11111n, [1, 0, 2, 3, 4])).to.be.revertedWithCustomError(contract, 'NotSigned');
  });

  const address = (key: Uint8Array): string => new ethers.Wallet(hexOf(key)).address.toLowerCase();
});
