import { readFileSync } from 'node:fs';
import { TypedDataEncoder, verifyTypedData } from 'ethers';
import { expect } from 'chai';
import { rowsVectors } from '../../../scripts/vectors-rows.ts';
import { structs } from '../../../protocol/codec/index.ts';
import { decodeTransaction, rowProofOf, toCommand, verifyRowProof, verifyTransaction } from '../../../protocol/rows/index.ts';
import { bytesOf, type Address, type Hash32, type Hex, type Path, type Timestamp } from '../../../protocol/types/index.ts';

interface Vectors {
  readonly keys: readonly { readonly ordered: Hex; readonly path: Path }[];
  readonly transaction: {
    readonly domain: { readonly chainId: string; readonly verifyingContract: Address };
    readonly header: Record<string, unknown>;
    readonly digest: Hash32;
    readonly signature: Hex;
    readonly encoded: Hex;
    readonly ts: string;
    readonly rowProof: { readonly path: Path; readonly rowHash: Hash32 };
  };
}

const text = readFileSync(new URL('../../vectors/rows.json', import.meta.url), 'utf8');

describe('rows: test/vectors/rows.json', () => {
  const { transaction } = JSON.parse(text) as Vectors;
  const domain = { chainId: BigInt(transaction.domain.chainId), verifyingContract: transaction.domain.verifyingContract };

  it('is what scripts/vectors-rows.ts writes', () => {
    expect(rowsVectors() === text, 'run node scripts/vectors-rows.ts').to.equal(true);
  });

  it("the digest and signature are those of the wallets' own EIP-712 encoder", () => {
    const types = { Transaction: structs.Transaction.map(([name, type]) => ({ name, type })) };
    const full = { name: 'Picolo', version: '1', ...domain };
    expect(TypedDataEncoder.hash(full, types, transaction.header)).to.equal(transaction.digest);
    expect(verifyTypedData(full, types, transaction.header, transaction.signature).toLowerCase()).to.equal(transaction.header['writer']);
  });

  it('the encoded transaction is valid and proves its row', () => {
    const tx = decodeTransaction(bytesOf(transaction.encoded));
    expect(verifyTransaction(domain, tx)).to.equal('valid');
    expect(toCommand(domain, tx).id).to.equal(transaction.digest);
    const { path, rowHash } = transaction.rowProof;
    const proof = rowProofOf(tx, BigInt(transaction.ts) as Timestamp, path);
    expect(verifyRowProof(domain, path, rowHash, proof!).row).to.deep.equal([8n, 'ada', 0]);
  });
});
